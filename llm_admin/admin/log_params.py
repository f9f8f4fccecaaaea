"""The address of the list of logs, read: which calls, in which order, from where on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Q
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from llm_admin.choices import CallStatus, ErrorKind, FeedbackValue, RunSource
from llm_admin.exceptions import InvalidInput
from llm_admin.models import Deployment, PromptLabel
from llm_admin.selectors.log_pages import Key
from llm_admin.selectors.log_query import ORDERS, LogQuery, Range
from llm_admin.services.actors import Actor
from llm_admin.templatetags.llm_format import NANO

HOUR = dt.timedelta(hours=1)
SPANS = {"1h": ("Last hour", HOUR), "24h": ("Last 24 hours", 24 * HOUR)} | {
    f"{days}d": (f"Last {days} days", dt.timedelta(days=days)) for days in (7, 30, 90)
}
UNFINISHED = "unfinished"
ENDINGS = {UNFINISHED: (CallStatus.CANCELLED.value, CallStatus.INTERRUPTED.value)}
KEYS = ("model", "deployment", "prompt", "version", "workflow", "user")
FILTERS = (
    "when", "since", "until", *KEYS, "connection", "label", "status", "error", "source", "cached", "cost",
    "cost_from", "cost_to", "latency_from", "latency_to", "tokens_from", "tokens_to", "run", "feedback",
)  # fmt: skip
LOOKS = ("q", "sort")  # these, too, belong to a view
PLACES = ("before", "after", "from", "skip", "view", "e")
BIGGEST = 2**63 - 1
EARLIEST, LATEST = 1900, 9000
Given = Mapping[str, str]


def read(given: QueryDict | Given, actor: Actor) -> LogQuery:
    """Raises IncorrectLookupParameters for what cannot be meant."""
    params = {name: value.strip() for name, value in given.items() if isinstance(value, str) and value.strip()}
    values, nothing = _values(params)
    since, until = _times(params)
    return LogQuery(
        workspace_id=actor.workspace.pk,
        viewer=None if actor.may("view_all_runs") else actor.user.pk,  # type: ignore[union-attr]
        since=since,
        until=until,
        values=values,
        amounts=_amounts(params, actor),
        cost_known=_one_of(params, "cost", {"known": True, "unknown": False}),
        run=_run(params.get("run")),
        feedback=_one_of(params, "feedback", {one: one for one in (*FeedbackValue.values, "none")}) or "",
        text=params.get("q", ""),
        order=_one_of(params, "sort", {one: one for one in ORDERS}) or "time",
        ids=() if nothing else None,
    )


def asked(given: QueryDict | Given, actor: Actor) -> LogQuery:
    """The same, where no list leads back to itself: InvalidInput says what to do."""
    try:
        return read(given, actor)
    except IncorrectLookupParameters as error:
        raise InvalidInput(f"{error}. Go back to the list and choose the filter again.") from None


def kept(given: QueryDict | Given) -> dict[str, str]:
    """What of an address makes a view: not the place in the list."""
    return {name: str(given[name]) for name in (*FILTERS, *LOOKS) if given.get(name)}


def _values(params: Given) -> tuple[dict[str, tuple[Any, ...]], bool]:
    """Also whether nothing at all can be meant: a label that no version has, a connection that runs no model."""
    found: dict[str, tuple[Any, ...]] = {name: (_number(params[name]),) for name in KEYS if name in params}
    if "label" in params:
        _narrow(found, "version", PromptLabel.objects.filter(_labelled(params)).values_list("version_id", flat=True))
    if "connection" in params:
        of_connection = Deployment.objects.filter(connection=_number(params["connection"]))
        _narrow(found, "deployment", of_connection.values_list("pk", flat=True))
    if status := params.get("status"):
        found["status"] = ENDINGS.get(status) or (_known(status, CallStatus.values),)
    if error := params.get("error"):
        found["error"] = (_known(error, ErrorKind.values),)
    if source := params.get("source"):
        found["source"] = (_known(source, RunSource.values),)
    cached = _one_of(params, "cached", {"yes": True, "no": False})
    if cached is not None:
        found["cached"] = (cached,)
    return found, () in found.values()


def _narrow(found: dict[str, tuple[Any, ...]], name: str, ids: Iterable[int]) -> None:
    found[name] = tuple(sorted(set(ids) & set(found[name]) if name in found else set(ids)))


def _labelled(params: Given) -> Q:
    named = Q(name=params["label"])
    return named & Q(prompt=_number(params["prompt"])) if "prompt" in params else named


def _times(params: Given) -> tuple[dt.datetime | None, dt.datetime | None]:
    since, until = (moment(params[name]) if name in params else None for name in ("since", "until"))
    if span := SPANS.get(params.get("when", "")):
        begin = timezone.now() - span[1]
        since = max(since, begin) if since else begin
    return since, until


def moment(text: str) -> dt.datetime:
    """Raises IncorrectLookupParameters; what names no time zone is in the reader's."""
    try:
        found = parse_datetime(text if len(text) > 10 else f"{text}T00:00")
        aware = found if found is None or timezone.is_aware(found) else timezone.make_aware(found)
        if not EARLIEST <= aware.year <= LATEST:  # type: ignore[union-attr]
            raise ValueError
        return aware.astimezone(dt.UTC)  # type: ignore[union-attr]
    except (ValueError, OverflowError, AttributeError):
        raise IncorrectLookupParameters(f"“{text}” is no time") from None


def _amounts(params: Given, actor: Actor) -> dict[str, Range]:
    """Costs in the workspace's currency, times in seconds, both ends counted in."""
    units = {"cost": NANO / actor.workspace.currency_rate, "latency": Decimal(1000), "tokens": Decimal(1)}
    found: dict[str, Range] = {}
    for name, unit in units.items():
        low, high = (_amount(params.get(f"{name}_{end}"), unit) for end in ("from", "to"))
        if low is not None or high is not None:
            found[name] = (low, None if high is None else min(high + 1, BIGGEST))
    return found


def _amount(text: str | None, unit: Decimal) -> int | None:
    if not text:
        return None
    try:
        number = Decimal(text.replace(",", ".")) * unit
        if not number.is_finite() or not 0 <= number <= BIGGEST:
            raise IncorrectLookupParameters(f"“{text}” is out of range")
        return round(number)
    except (InvalidOperation, ValueError):
        raise IncorrectLookupParameters(f"“{text}” is no number") from None


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or int(text[:30]) > BIGGEST:
        raise IncorrectLookupParameters(f"“{text}” is no number")
    return int(text)


def _known(text: str, values: list[str]) -> str:
    if text not in values:
        raise IncorrectLookupParameters(f"“{text}” is not among the choices")
    return text


def _one_of(params: Given, name: str, meanings: Mapping[str, Any]) -> Any:
    """None where nothing is given."""
    if name in params and params[name] not in meanings:
        raise IncorrectLookupParameters(f"“{params[name]}” is not among the choices")
    return meanings.get(params.get(name, ""))


def _run(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise IncorrectLookupParameters(f"“{text}” is no id of a run") from None


def key_of(text: str) -> Key:
    """Of a row, as an address has it: 2026-01-02T03:04:05.678901+00:00~17"""
    time, _, number = text.rpartition("~")
    return moment(time), _number(number)


def address_of(key: Key) -> str:
    return f"{key[0].astimezone(dt.UTC).isoformat()}~{key[1]}"
