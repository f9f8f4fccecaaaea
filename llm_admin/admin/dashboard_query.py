"""What the address of a panel of numbers says, and the addresses of everything beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from llm_admin.admin.base import find, find_or_404
from llm_admin.admin.log_links import logs_url
from llm_admin.choices import CallStatus, ErrorKind, RunSource
from llm_admin.models import (
    Connection,
    Deployment,
    LanguageModel,
    Membership,
    Prompt,
    PromptVersion,
    Workflow,
)
from llm_admin.selectors import periods
from llm_admin.selectors.periods import Period
from llm_admin.selectors.usage import UsageFilter
from llm_admin.services.actors import Actor

OBJECTS: dict[str, tuple[type[Any], str]] = {
    "prompt": (Prompt, "workspace"),
    "version": (PromptVersion, "prompt__workspace"),
    "workflow": (Workflow, "workspace"),
    "model": (LanguageModel, "workspace"),
    "connection": (Connection, "workspace"),
}
CHOICES: dict[str, dict[str, str]] = {
    "source": dict(RunSource.choices),
    "error": dict(ErrorKind.choices),
    "status": dict(CallStatus.choices),
    "cached": {"yes": "Answered from the cache", "no": "The model was asked"},
}
IDS = ("prompt", "version", "workflow", "model", "user")
FILTERS = (*OBJECTS, "deployment", "user", *CHOICES)
PERMISSION = {"connection": "view_connection"}
SORTS = ("cost", "calls", "errors", "p95")
LOGS = "logs"  # the subject of the panel above the list of logs: the list's own filters
TABLES = ("prompt", "workflow", "version", "model", "user", "source")


@dataclass(frozen=True)
class Link:
    """`page` can be shared and opened elsewhere; `fragment` is what htmx puts in the panel's place."""

    page: str
    fragment: str
    push: bool

    @property
    def at(self) -> SafeString:
        """Its attributes, for `<a{{ link.at }}>`."""
        more = format_html(' hx-get="{}"', self.fragment) if self.fragment else SafeString()
        if self.push:
            more += format_html(' hx-push-url="{}"', self.page)
        return format_html(' href="{}"{}', self.page, more)


@dataclass(frozen=True)
class View:
    """`given`: the filters as the address has them. `subject`: the one that the page itself is about.

    `sort`: by which number a table is ordered; `opened`: the tables of which all rows are shown.
    """

    period: Period
    given: dict[str, str]
    subject: str = ""
    sort: dict[str, str] = field(default_factory=dict)
    opened: frozenset[str] = frozenset()
    sees_people: bool = False
    deployments: tuple[int, ...] = ()

    @property
    def chips(self) -> dict[str, str]:
        """The filters that people chose, and can take away again."""
        return {name: value for name, value in self.given.items() if not self._fixed(name)}

    def _fixed(self, name: str) -> bool:
        return self.subject in (name, LOGS)

    @property
    def filter(self) -> UsageFilter:
        given = self.given
        more: dict[str, Any] = {name: int(given[name]) for name in IDS if name in given}
        more |= {name: given[name] for name in ("source", "error", "status") if name in given}
        if "cached" in self.given:
            more["cached"] = self.given["cached"] == "yes"
        if "connection" in self.given or "deployment" in self.given:
            more["deployment"] = self.deployments
        return UsageFilter(since=self.period.since, until=self.period.until, **more)

    def logs(self, **more: str | int) -> str:
        """The list of logs with the same filter."""
        return self.logs_of(self.filter, **more)

    def logs_of(self, usage_filter: UsageFilter, **more: str | int) -> str:
        """What is filtered by already stays as it is."""
        named = {name: value for name, value in more.items() if name not in self.given}
        if "connection" in self.given:  # by itself, not by its places
            place = self.given.get("deployment")
            usage_filter = replace(usage_filter, deployment=int(place) if place else None)
            named["connection"] = self.given["connection"]
        return logs_url(usage_filter, **named)

    def link(
        self,
        period: Period | None = None,
        *,
        add: Mapping[str, Any] | None = None,
        drop: str = "",
        sort: tuple[str, str] | None = None,
        toggle: str = "",
    ) -> Link:
        given = {name: value for name, value in self.given.items() if name != drop}
        changed = replace(
            self,
            period=period or self.period,
            given=given | {name: str(value) for name, value in (add or {}).items()},
            sort=self.sort | dict([sort]) if sort else self.sort,
            opened=self.opened ^ {toggle} if toggle else self.opened,
        )
        if self.subject == LOGS:  # there the list itself follows
            return Link(changed.logs(), "", push=False)
        return Link(changed.page(), changed.fragment(), push=not self.subject)

    def fragment(self) -> str:
        own = {"of": self.subject} if self.subject else {}
        return f"{reverse('admin:llm_admin_numbers')}?{urlencode(own | self._query())}"

    def page(self) -> str:
        """The home page with this filter: of an object's own panel, too, as something to keep and to pass on."""
        return f"{reverse('admin:index')}?{urlencode(self._query())}"

    def hidden(self) -> list[tuple[str, str]]:
        """What a form has to carry besides the range."""
        own = {"of": self.subject} if self.subject else {}
        kept = {name: value for name, value in self._query().items() if name not in self.period.query}
        return list((own | kept).items())

    def csv(self, what: str) -> str:
        return f"{reverse('admin:llm_admin_numbers_csv')}?{urlencode(self._query() | {'csv': what})}"

    def _query(self) -> dict[str, str]:
        sorts = {f"sort_{table}": key for table, key in self.sort.items() if key != SORTS[0]}
        opened = {"all": ",".join(sorted(self.opened))} if self.opened else {}
        return self.period.query | self.given | sorts | opened


def read(request: HttpRequest, actor: Actor) -> View:
    """404 for an object that is not there; what else nobody understands is left out."""
    query = request.GET
    subject = query.get("of", "")
    given = {name: query[name] for name in FILTERS if query.get(name)}
    sees_people = actor.may("view_all_runs")
    for name, value in given.items():
        _check(request, actor, name, value, is_subject=name == subject)
    if "user" in given and not sees_people and given["user"] != str(request.user.pk):
        actor.require("view_all_runs")
    return View(
        period=periods.chosen(query.get("range"), query.get("from"), query.get("to")),
        given=given,
        subject=subject if subject in given or subject == LOGS else "",
        sort={table: key for table in TABLES if (key := query.get(f"sort_{table}")) in SORTS},
        opened=frozenset(query.get("all", "").split(",")) & {*TABLES},
        sees_people=sees_people,
        deployments=_deployments(given),
    )


def _check(request: HttpRequest, actor: Actor, name: str, value: str, *, is_subject: bool) -> None:
    if not fits(name, value):
        raise Http404
    if permission := PERMISSION.get(name):
        actor.require(permission)
    if name in OBJECTS:
        model, path = OBJECTS[name]
        look = find_or_404 if is_subject else find  # calls of what was deleted are still there
        look(request, model, int(value), path=path)
    elif is_subject and not Membership.objects.filter(user=int(value)).exists():
        raise Http404


def fits(name: str, value: str) -> bool:
    if name in CHOICES:
        return value in CHOICES[name]
    return value.isascii() and value.isdecimal() and len(value) <= 18


def _deployments(given: dict[str, str]) -> tuple[int, ...]:
    """The places of a connection, or the one that is named."""
    named = {int(given["deployment"])} if "deployment" in given else None
    if "connection" not in given:
        return tuple(named or ())
    places = set(Deployment.objects.filter(connection=given["connection"]).values_list("pk", flat=True))
    return tuple(sorted(places if named is None else places & named))


def names_of(dimension: str, values: list[Any], *, with_prompt: bool = True) -> dict[Any, str]:
    """By value; what is gone has no name here."""
    if dimension in CHOICES:
        return {value: CHOICES[dimension].get(value, str(value)) for value in values}
    known = [value for value in values if value is not None]
    if dimension == "user":
        rows = Membership.objects.filter(user__in=known).select_related("user")
        return {row.user_id: row.user.get_full_name() or row.user.get_username() for row in rows} if known else {}
    if dimension == "version":
        versions = PromptVersion.objects.filter(pk__in=known).values_list("pk", "number", "prompt__name")
        return {pk: f"{prompt} v{number}" if with_prompt else f"v{number}" for pk, number, prompt in versions}
    if dimension == "deployment":
        return {one.pk: str(one) for one in Deployment.objects.filter(pk__in=known).select_related("connection")}
    rows = OBJECTS[dimension][0].objects.filter(pk__in=known).values_list("pk", "name") if known else ()
    return dict(rows)
