from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

SECTIONS = (
    ("start", "Start here"),
    ("prompts", "Prompts"),
    ("variables", "Variables"),
    ("versions", "Versions and Live"),
    ("running", "Running"),
    ("workflows", "Workflows"),
    ("costs", "Costs and logs"),
    ("budgets", "Budgets and limits"),
    ("monitors", "Monitors"),
    ("models", "Models and connections"),
    ("import", "Import and export"),
    ("roles", "Who may do what"),
    ("keyboard", "Keyboard"),
    ("code", "From code"),
)


def help_page(request: HttpRequest) -> HttpResponse:
    context = {**admin.site.each_context(request), "title": "Help", "sections": SECTIONS}
    return TemplateResponse(request, "llm_admin/help/page.html", context)
