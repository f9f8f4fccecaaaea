"""The page on which operators price past calls of a model again: choose, look at what would change, begin, watch."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from unfold.widgets import UnfoldAdminTextInputWidget

from llm_admin.admin.base import actor_of, find_or_404
from llm_admin.admin.forms import add_refusal
from llm_admin.admin.price_forms import midnight
from llm_admin.exceptions import Conflict, InvalidInput
from llm_admin.models import Deployment, LanguageModel, Repricing
from llm_admin.services import repricing

SHOWN = 5  # past jobs


class PlacesField(forms.ModelMultipleChoiceField):
    def clean(self, value: Any) -> Any:
        try:
            return super().clean(value)
        except OverflowError:  # a number that no database holds
            message = "These are not all among the available choices. Reload the page, and choose again."
            raise forms.ValidationError(message) from None


class RepriceForm(forms.Form):
    since = forms.DateField(
        label="Since",
        widget=UnfoldAdminTextInputWidget({"type": "date"}),
        error_messages={"required": "Choose a day."},
    )
    deployments = PlacesField(
        label="Calls of",
        queryset=Deployment._base_manager.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one place where the model runs."},
    )

    def __init__(self, *args: Any, model: LanguageModel, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places = Deployment.objects.filter(model=model).select_related("connection")
        self.fields["deployments"].queryset = places  # type: ignore[attr-defined]
        self.fields["deployments"].initial = places

    def clean_since(self) -> dt.datetime:
        since = midnight(self.cleaned_data["since"])
        try:
            return repricing.check_since(since)
        except InvalidInput as error:
            raise forms.ValidationError([problem.message for problem in error.problems]) from None

    @property
    def chosen(self) -> list[int]:
        return [one.pk for one in self.cleaned_data["deployments"]]


def reprice_urls(model_admin: Any) -> list[URLPattern]:
    def page(request: HttpRequest, pk: int) -> HttpResponse:
        return page_view(request, model_admin, pk)

    return [
        path("<int:pk>/reprice/", model_admin.admin_site.admin_view(page), name="llm_admin_languagemodel_reprice"),
        path(
            "<int:pk>/reprice/progress/",
            model_admin.admin_site.admin_view(progress_view),
            name="llm_admin_languagemodel_reprice_progress",
        ),
    ]


def page_view(request: HttpRequest, model_admin: Any, pk: int) -> HttpResponse:
    """GET with a day shows what would change; POST begins."""
    actor = actor_of(request)
    actor.require("change_deploymentprice")
    model = find_or_404(request, LanguageModel, pk)
    if request.method == "POST":
        form = RepriceForm(request.POST, model=model)
        if form.is_valid():
            try:
                repricing.start(actor=actor, model=model, deployments=form.chosen, since=form.cleaned_data["since"])
            except InvalidInput as error:
                add_refusal(form, error)
            except Conflict as error:
                form.add_error(None, str(error))
            else:
                return redirect("admin:llm_admin_languagemodel_reprice", model.pk)
        return _page(request, model_admin, model, form, status=422)
    if "since" not in request.GET:
        return _page(request, model_admin, model, RepriceForm(model=model))
    form = RepriceForm(request.GET, model=model)
    if not form.is_valid():
        return _page(request, model_admin, model, form, status=422)
    found = repricing.preview(actor=actor, deployments=form.chosen, since=form.cleaned_data["since"])
    return _page(request, model_admin, model, form, found=found)


def progress_view(request: HttpRequest, pk: int) -> HttpResponse:
    actor_of(request).require("change_deploymentprice")
    model = find_or_404(request, LanguageModel, pk)
    return render(request, "llm_admin/models/_repricings.html", _jobs(model))


def _page(
    request: HttpRequest,
    model_admin: Any,
    model: LanguageModel,
    form: RepriceForm,
    *,
    found: repricing.Sums | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"Price past calls again: {model}",
        "opts": model_admin.opts,
        "original": model,
        "model": model,
        "form": form,
        "found": found,
        **_jobs(model),
    }
    return TemplateResponse(request, "llm_admin/models/reprice.html", context, status=status)


def _jobs(model: LanguageModel) -> dict[str, Any]:
    jobs = list(Repricing.objects.filter(model=model).select_related("owner")[:SHOWN])
    return {"model": model, "jobs": jobs, "running": any(job.status == "running" for job in jobs)}
