"""Above a monitor's form: how it stands, what can be done with it, its history, and what it sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from llm_admin.admin.base import actor_of, find_or_404
from llm_admin.admin.monitor_cards import MonitorCard, card
from llm_admin.admin.monitor_forms import MonitorForm
from llm_admin.admin.monitor_preview import preview
from llm_admin.choices import DeliveryStatus
from llm_admin.conf import settings
from llm_admin.exceptions import InvalidInput, Problem
from llm_admin.models import Monitor, MonitorDelivery, MonitorEvent
from llm_admin.selectors import monitors as selector
from llm_admin.selectors.monitor_measures import MEASURES
from llm_admin.services import monitor_delivery, monitor_messages, monitor_watch, monitors
from llm_admin.services.monitor_webhook import host_of
from llm_admin.services.monitor_words import unit_of, unit_words

PREVIEWED = {"measure", "window", "direction", "alarm_level", "warn_level", "version_number", "min_calls"}
PREVIEWED |= {"prompt", "workflow", "model", "deployment", "user", "source"}


@dataclass(frozen=True)
class Notice:
    good: bool
    words: str


@dataclass(frozen=True)
class Panel:
    """`secret`: just made, and in this answer only. `tells`: whom, in words."""

    monitor: Monitor
    card: MonitorCard
    may_change: bool
    muted: bool
    tells: list[str]
    signed: bool
    events: list[MonitorEvent]
    deliveries: list[MonitorDelivery]
    notices: list[Notice] = field(default_factory=list)
    secret: str = ""


Act = Callable[[HttpRequest, Monitor], dict[str, Any]]


def panel(request: HttpRequest, monitor: Monitor, **more: Any) -> Panel:
    actor = actor_of(request)
    may_change = actor.may("change_monitor")
    return Panel(
        monitor=monitor,
        card=card(monitor, actor.workspace),
        may_change=may_change,
        muted=monitor.is_muted(timezone.now()),
        tells=_tells(monitor) if may_change else [],
        signed=bool(monitor.webhook_url),
        events=selector.events(monitor),
        deliveries=selector.deliveries(monitor) if may_change else [],
        **more,
    )


def _tells(monitor: Monitor) -> list[str]:
    found = monitor_messages.addresses(monitor)
    if found and not settings().MAIL_FROM:
        found = [f"{address} (but no mails are sent: MAIL_FROM is not set)" for address in found]
    return found + ([f"the webhook at {host_of(monitor.webhook_url)}"] if monitor.webhook_url else [])


def look(request: HttpRequest, monitor: Monitor) -> dict[str, Any]:
    monitor_watch.look_now(monitor, actor=actor_of(request))
    return {"notices": [Notice(good=True, words="Looked just now.")]}


def test(request: HttpRequest, monitor: Monitor) -> dict[str, Any]:
    sent = monitor_delivery.test(monitor, actor=actor_of(request))
    if not sent:
        words = "It tells nobody yet. Choose people, addresses or a webhook below, and save."
        return {"notices": [Notice(good=False, words=words)]}
    return {"notices": [_outcome(one) for one in sent]}


def mute(request: HttpRequest, monitor: Monitor) -> dict[str, Any]:
    monitors.mute(monitor, actor=actor_of(request), hours=_hours(request.POST.get("hours", "")))
    return {}


def _hours(typed: str) -> int | None:
    if not typed:
        return None
    if not (typed.isascii() and typed.isdigit()):
        raise InvalidInput([Problem(("hours",), "A whole number of hours.")])
    return int(typed[:9])


def unmute(request: HttpRequest, monitor: Monitor) -> dict[str, Any]:
    monitors.unmute(monitor, actor=actor_of(request))
    return {}


def secret(request: HttpRequest, monitor: Monitor) -> dict[str, Any]:
    return {"secret": monitors.replace_secret(monitor, actor=actor_of(request))}


def send_again(request: HttpRequest, pk: int, delivery: Any) -> HttpResponse:
    monitor = _changeable(request, pk)
    row = MonitorDelivery.objects.filter(monitor=monitor, pk=delivery).select_related("monitor__workspace").first()
    if row is None:
        raise Http404
    done = monitor_delivery.send_again(row, actor=actor_of(request))
    return _answer(request, monitor, notices=[_outcome(done)])


def _outcome(one: MonitorDelivery) -> Notice:
    what = f"{one.get_channel_display()} to {one.to}"
    if one.status == DeliveryStatus.SENT:
        return Notice(good=True, words=f"{what}: sent.")
    return Notice(good=False, words=f"{what}: not sent. {one.problem}")


def _changeable(request: HttpRequest, pk: int) -> Monitor:
    """Permission first: others do not learn what is there."""
    actor_of(request).require("change_monitor")
    found: Monitor = find_or_404(request, Monitor, pk)
    return found


def act_view(request: HttpRequest, pk: int, *, act: Act) -> HttpResponse:
    monitor = _changeable(request, pk)
    return _answer(request, monitor, **act(request, monitor))


def _answer(request: HttpRequest, monitor: Monitor, **more: Any) -> HttpResponse:
    """A fragment for htmx. Without JavaScript: back to the page, or a page with what was found."""
    htmx = bool(getattr(request, "htmx", False))
    if not htmx and not more:
        return redirect(reverse("admin:llm_admin_monitor_change", args=[monitor.pk]))
    fresh = Monitor.objects.select_related(*selector.RELATED).get(pk=monitor.pk)
    context = {"panel": panel(request, fresh, **more), "original": fresh}
    template = "llm_admin/monitors/_panel.html" if htmx else "llm_admin/monitors/page.html"
    answer = render(request, template, context)
    answer["Cache-Control"] = "no-store"
    return answer


def preview_view(request: HttpRequest, form_class: type[MonitorForm]) -> HttpResponse:
    """Of what is typed and not saved. What is missing so far is said, unless nothing was typed yet."""
    actor = actor_of(request)
    if not (actor.may("add_monitor") or actor.may("change_monitor")):
        actor.require("change_monitor")
    form = form_class(request.POST, instance=Monitor(workspace=actor.workspace))
    form.is_valid()
    problems = {name: found for name, found in form.errors.items() if name in PREVIEWED}
    context: dict[str, Any] = {"problems": problems}
    if form.instance.measure in MEASURES:
        context["unit"] = unit_words(unit_of(form.instance), actor.workspace)
    if not problems and form.instance.measure in MEASURES:
        context["preview"] = preview(form.instance, actor.workspace)
    return render(request, "llm_admin/monitors/_preview_found.html", context)


def urls(wrap: Callable[..., Any], form_class: Callable[[HttpRequest], type[MonitorForm]]) -> list[URLPattern]:
    acts: dict[str, Act] = {"look": look, "test": test, "mute": mute, "unmute": unmute, "secret": secret}
    prefix = "llm_admin_monitor"

    def seen(request: HttpRequest) -> HttpResponse:
        actor_of(request)
        return preview_view(request, form_class(request))

    return [
        path("preview/", wrap(require_POST(seen)), name=f"{prefix}_preview"),
        *(
            path(f"<int:pk>/{name}/", wrap(require_POST(partial(act_view, act=act))), name=f"{prefix}_{name}")
            for name, act in acts.items()
        ),
        path("<int:pk>/again/<uuid:delivery>/", wrap(require_POST(send_again)), name=f"{prefix}_again"),
    ]
