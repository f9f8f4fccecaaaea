"""A page of the list of logs: which rows, and the addresses of the pages around it. Nothing is counted."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.templatetags.unfold_list import result_headers

from llm_admin.admin import log_table
from llm_admin.admin.base import ConsoleChangeList, actor_of
from llm_admin.admin.log_params import PLACES, address_of, key_of, read
from llm_admin.models import InteractionText
from llm_admin.selectors import log_pages, log_words, logs
from llm_admin.selectors.log_pages import Page
from llm_admin.selectors.log_query import ORDERS
from llm_admin.selectors.log_snippets import snippet

OWN = ("sort", *PLACES, "columns")  # no filters of the sidebar
MOST_SKIPPED = 10_000


class Pages:
    """Stands where unfold expects a paginator."""

    template_name = "llm_admin/logs/_pages.html"


class LogChangeList(ConsoleChangeList):
    paginator: Any = Pages()
    show_all = can_show_all = multi_page = False

    def get_filters_params(self, params: Any = None) -> Any:
        return {name: value for name, value in super().get_filters_params(params).items() if name not in OWN}

    show_all_query = "view=0"  # not with the view that the list opens with

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> Any:
        self.filter_params.setdefault("view", ["0"])  # links and forms of the list lead to the list
        rows = super().get_queryset(request, exclude_parameters)
        self.clear_all_filters_qs = f"?{self.show_all_query}"
        return rows

    def get_results(self, request: HttpRequest) -> None:
        self.asked = read(request.GET, actor_of(request))
        try:
            self.page = self._page(request)
        except OverflowError:
            raise IncorrectLookupParameters("That is out of range") from None
        related = (*logs.LISTED, *logs.PLACED) if "place" in self.list_display else logs.LISTED
        self.result_list: Any = log_pages.loaded(self.page.ids, *related, without=logs.UNLISTED)
        self.result_count = len(self.result_list)
        self.full_result_count = None
        self.show_admin_actions = bool(self.result_list)
        self.can_show_all = self.multi_page = False
        if self.query and self.result_list:
            self._show_matches()
        self._warn(request)

    def _page(self, request: HttpRequest) -> Page:
        given, size = request.GET, self.list_per_page
        self.first = _whole(given.get("from"), 1)
        if self.asked.order != "time":
            self.skip = min(_whole(given.get("skip"), 0), MOST_SKIPPED)
            self.first = self.skip + 1
            return log_pages.biggest(self.asked, size=size, skip=self.skip)
        self.newer = "after" in given
        place = given.get("after") or given.get("before")
        return log_pages.page(self.asked, size=size, begin=key_of(place) if place else None, newer=self.newer)

    def _show_matches(self) -> None:
        terms = log_words.parse(self.query)
        texts = InteractionText._base_manager.in_bulk([log.pk for log in self.result_list])
        for log in self.result_list:
            log.snippet = snippet(texts.get(log.pk), terms)

    def _warn(self, request: HttpRequest) -> None:
        if self.page.unread:
            text = (
                f"New texts are still being made searchable: about {self.page.unread:,} calls were not looked at yet."
            )
            messages.warning(request, f"{text} Search again in a while to find them, too.")
        if self.query.strip() and not log_words.parse(self.query):
            messages.info(request, "There is no word in what you are looking for: type letters or digits.")

    @cached_property
    def headers(self) -> list[dict[str, Any]]:
        return list(result_headers(self))

    @cached_property
    def rows(self) -> list[log_table.Row]:
        return log_table.rows(self, self.headers)

    @property
    def last(self) -> int:
        return self.first + self.result_count - 1

    @property
    def found_text(self) -> str:
        more = "older" in self.links or "further" in self.links
        return f"More than {self.last:,}" if more and self.last else f"{max(self.last, 0):,}"

    @property
    def order_name(self) -> str:
        return ORDERS[self.asked.order]

    @cached_property
    def links(self) -> dict[str, str]:
        """Addresses of the pages before and behind, where there are any."""
        if self.asked.order != "time":
            return self._links_by_amount()
        given = {"before": None, "after": None, "from": None}
        page, found = self.page, {}
        older = bool(page.keys) and (page.more or self.newer)
        newer = bool(page.keys) and (self.newer and page.more or not self.newer and "before" in self.params)
        if older:
            place = {"before": address_of(page.keys[-1]), "from": self.first + self.result_count}
            found["older"] = self.get_query_string({**given, **place})
        if newer:
            place = {"after": address_of(page.keys[0]), "from": max(1, self.first - self.list_per_page)}
            found["newer"] = self.get_query_string({**given, **place})
        if "before" in self.params or newer:
            found["newest"] = self.get_query_string(given)
        if page.looked_back_to and not page.more and not self.newer:
            place = {"before": address_of((page.looked_back_to, 0)), "from": self.first + self.result_count}
            found["further"] = self.get_query_string({**given, **place})
        return found

    def _links_by_amount(self) -> dict[str, str]:
        found = {}
        if self.page.more and self.skip + self.list_per_page <= MOST_SKIPPED:
            found["older"] = self.get_query_string({"skip": self.skip + self.list_per_page})
        if self.skip:
            found["newer"] = self.get_query_string({"skip": max(0, self.skip - self.list_per_page) or None})
            found["newest"] = self.get_query_string({"skip": None})
        return found

    @property
    def log_ids(self) -> list[int]:
        return [log.pk for log in self.result_list]


def _whole(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 10 else otherwise
