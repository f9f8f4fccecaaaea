"""What is wrong with a monitor, beside the fields' own rules: each problem at its field."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from llm_admin import outgoing
from llm_admin.choices import MonitorDirection
from llm_admin.exceptions import Problem
from llm_admin.models import Deployment, LanguageModel, Membership, Monitor, Prompt, PromptVersion, Workflow
from llm_admin.schemas.storable import why_not
from llm_admin.selectors.monitor_measures import MEASURES, WHOLE, Measure, Unit
from llm_admin.services.monitor_words import LARGEST

MOST_PLACES = 20
LONGEST_URL = 2_000
SUBJECTS: dict[str, tuple[Any, str]] = {
    "prompt": (Prompt, "prompt"),
    "version": (PromptVersion, "version"),
    "workflow": (Workflow, "workflow"),
    "model": (LanguageModel, "model"),
    "deployment": (Deployment, "place where a model runs"),
}


def check(monitor: Monitor, *, people: Sequence[Any] = (), webhook: str = "") -> list[Problem]:
    """Open the scope around it."""
    return [
        *_name(monitor),
        *_measure(monitor),
        *_subjects(monitor),
        *_members(monitor, people),
        *_addresses(monitor, people),
        *_webhook(webhook),
    ]


def _name(monitor: Monitor) -> list[Problem]:
    texts = {"name": monitor.name, "note": monitor.note}
    found = [Problem((name,), f"This {why}.") for name, text in texts.items() if (why := why_not(text))]
    if not found and Monitor.objects.filter(name=monitor.name).exclude(pk=monitor.pk).exists():
        found.append(Problem(("name",), "There is a monitor of this name already."))
    return found


def _measure(monitor: Monitor) -> list[Problem]:
    measure = MEASURES.get(monitor.measure)
    if measure is None:
        return [Problem(("measure",), "Choose what it watches.")]
    problems = [
        Problem((name,), f"{measure.title} cannot be narrowed down by this. Leave it empty.")
        for name in measure.not_by
        if getattr(monitor, f"{name}_id")
    ]
    return problems + _levels(monitor, measure)


def _levels(monitor: Monitor, measure: Measure) -> list[Problem]:
    given = {name: level for name in ("warn", "alarm") if (level := getattr(monitor, name)) is not None}
    if not given:
        return [Problem(("alarm",), "Give a level for the alarm, or for a warning.")]
    below = monitor.direction == MonitorDirection.BELOW
    problems = [
        Problem((name,), words) for name, level in given.items() if (words := _level(level, measure, below=below))
    ]
    if problems or monitor.warn is None or monitor.alarm is None:
        return problems
    if (monitor.warn <= monitor.alarm) if below else (monitor.warn >= monitor.alarm):
        word = "above" if below else "below"
        problems.append(Problem(("warn",), f"A warning comes before the alarm: give a level {word} that of the alarm."))
    return problems


def _level(level: int, measure: Measure, *, below: bool) -> str:
    if level < 0:
        return "Give 0 or more."
    if level > LARGEST:
        return "That is more than a level can be. Give a smaller number."
    if below and level == 0:
        return "It is never below 0."
    if not below and measure.unit is Unit.SHARE and level >= WHOLE:
        return "It is never above 100%."
    return ""


def _subjects(monitor: Monitor) -> list[Problem]:
    problems = [
        Problem((name,), f"Choose a {noun} of this workspace.")
        for name, (model, noun) in SUBJECTS.items()
        if (pk := getattr(monitor, f"{name}_id")) and not model.objects.filter(pk=pk).exists()
    ]
    if not problems and monitor.version_id and monitor.prompt_id and monitor.version.prompt_id != monitor.prompt_id:
        problems.append(Problem(("version",), "This version is one of another prompt."))
    return problems


def _members(monitor: Monitor, people: Sequence[Any]) -> list[Problem]:
    asked = {"user": [monitor.user_id], "owner": [monitor.owner_id], "people": [one.pk for one in people]}
    wanted = {pk for keys in asked.values() for pk in keys if pk}
    members = set(Membership.objects.filter(user__in=wanted).values_list("user", flat=True))
    words = "Choose members of this workspace."
    return [Problem((name,), words) for name, keys in asked.items() if any(pk and pk not in members for pk in keys)]


def _addresses(monitor: Monitor, people: Sequence[Any]) -> list[Problem]:
    place, found = ("addresses",), monitor.addresses
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        return [Problem(place, "Give mail addresses.")]
    if len(found) + len(people) > MOST_PLACES:
        return [Problem(place, f"At most {MOST_PLACES} people and addresses. Use the address of a list.")]
    return [Problem(place, f"“{one[:100]}” is no mail address.") for one in found if not _is_address(one)]


def _is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return text.isascii() and len(text) <= 254


def _webhook(url: str) -> Iterable[Problem]:
    place = ("webhook",)
    if not url:
        return []
    if len(url) > LONGEST_URL or not (url.isascii() and url.isprintable() and " " not in url):
        return [Problem(place, "This holds spaces or characters that no web address has. Copy it once more.")]
    refused = outgoing.problem_of(url)
    return [Problem(place, refused)] if refused else []
