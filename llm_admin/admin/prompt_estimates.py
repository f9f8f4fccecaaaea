"""What a run will probably cost and take, said before it is started."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_GET

from llm_admin.admin import playground
from llm_admin.admin.base import actor_of, find_or_404
from llm_admin.exceptions import NotFound
from llm_admin.models import LanguageModel, Prompt, PromptVersion, Workspace
from llm_admin.selectors.estimates import Estimate, Range, estimate
from llm_admin.services import documents
from llm_admin.templatetags import llm_format

if TYPE_CHECKING:
    from llm_admin.admin.document_studio import Page

MOST = 100


def urls(wrap: Any) -> list[URLPattern]:
    """`wrap` is the site's `admin_view`."""
    return [
        path("estimate/", wrap(shown), name="llm_admin_prompt_estimate_new"),
        path("<int:pk>/estimate/", wrap(shown), name="llm_admin_prompt_estimate"),
    ]


def panel(page: Page) -> dict[str, Any]:
    if page.document is None:
        return {"estimate_url": reverse("admin:llm_admin_prompt_estimate_new")}
    return {"estimate_url": reverse("admin:llm_admin_prompt_estimate", args=[page.document.pk])}


@require_GET
def shown(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """`version` (none: unsaved text), `model`, `count` (how many runs), and `own`: the unsaved text's own model."""
    actor = actor_of(request)
    actor.require("view_prompt")
    prompt = find_or_404(request, Prompt, pk) if pk else None
    version = _version(prompt, playground.whole(request.GET.get("version", "")))
    default = actor.workspace.default_model
    own = version.spec.get("model") if version else request.GET.get("own")
    model = request.GET.get("model") or own or (default.alias if default else None)
    count = min(max(playground.whole(request.GET.get("count", "1")), 1), MOST)
    found = estimate(prompt_id=prompt.pk if prompt else None, version_id=version.pk if version else None, model=model)
    words = sentence(found, count=count, workspace=actor.workspace, version=version, model=_name(model))
    return render(request, "llm_admin/tests/_estimated.html", {"sentence": words, "known": bool(found.basis)})


def _version(prompt: Prompt | None, number: int) -> PromptVersion | None:
    if prompt is None or not number:
        return None
    try:
        return documents.version_of(prompt, number=number)
    except NotFound:
        return None


def _name(alias: str | None) -> str:
    """What people call it."""
    return (alias and LanguageModel.objects.filter(alias=alias).values_list("name", flat=True).first()) or ""


def sentence(
    found: Estimate,
    *,
    workspace: Workspace | None = None,
    count: int = 1,
    version: PromptVersion | None = None,
    model: str = "",
) -> str:
    if not found.basis:
        return f"Cost and time: unknown, {f'hardly any past calls of {model}' if model else 'no model is chosen'}."
    of = {"version": str(version), "prompt": "this prompt", "model": model or "this model"}[found.basis]
    cost = _cost(found.cost_nano.times(count) if found.cost_nano else None, workspace)
    time = _time(found.latency_ms)
    together = f"{cost} for {count} runs, each {time}" if count > 1 else f"{cost} and {time}"
    return f"{together}, from {found.calls} past call{'s' if found.calls != 1 else ''} of {of}."


def _cost(found: Range | None, workspace: Workspace | None) -> str:
    if found is None:
        return "Cost unknown"
    low, high = (llm_format.cost(number, workspace) for number in (found.low, found.high))
    return f"About {low}" if low == high else f"About {low}–{high.lstrip('$€£¥₹')}"


def _time(found: Range | None) -> str:
    if found is None:
        return "an unknown time"
    low, high = llm_format.duration(found.low), llm_format.duration(found.high)
    if low == high:
        return low
    unit = high.split(" ")[-1]
    return f"{low.removesuffix(f' {unit}') if low.split(' ')[1:] == high.split(' ')[1:] else low}–{high}"
