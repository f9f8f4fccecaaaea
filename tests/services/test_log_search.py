"""Searching texts: in the index, in what the index does not have yet, and the same in both."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_admin.models import InteractionLog, InteractionText, LogIndexMark
from llm_admin.selectors import log_pages, log_search, log_words
from llm_admin.selectors.log_query import LogQuery
from llm_admin.services import log_search as keeping
from tests import factories
from tests.log_rows import log, text, unsaved

WORDS = [
    "red",
    "Red",
    "réd",
    "redo",
    "blue",
    "blue-red",
    "order_17",
    "日本語",
    "本",
    "ß",
    "SS",
    "İx",
    "½",
    "don't",
    "x",
    "ﷺ",
]
PIECES = [*WORDS, " ", " ", " ", "\n", ",", "-", '"', "*", ":", "(", "AND", "NOT", "NEAR(", "'", "\\", "^", "%", "😀"]


def found(where, query, **more):
    return set(log_pages.page(LogQuery(where.pk, text=query, **more), size=500).ids)


def said(where, words, **values):
    row = log(where, **values)
    text(row, messages=[{"role": "user", "content": words}], answer="")
    return row.pk


def occurs(term, words):
    """From its definition: these words one after another somewhere, the last one perhaps only begun."""
    for start in range(len(words)):
        piece = words[start : start + len(term.words)]
        if len(piece) == len(term.words) and piece[:-1] == list(term.words[:-1]):
            last, wanted = piece[-1], term.words[-1]
            if last == wanted or (term.prefix and last.startswith(wanted)):
                return True
    return False


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), min_size=1, max_size=8),
    query=st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join),
    indexed=st.integers(0, 8),
)
def test_it_equals_a_plain_scan(scope, texts, query, indexed):
    with connection.cursor() as cursor:
        keeping.forget(list(InteractionText._base_manager.values_list("log_id", flat=True)))
        cursor.execute("DELETE FROM llm_admin_interactiontext")
        cursor.execute("DELETE FROM llm_admin_interactionlog")
    rows = InteractionLog.objects.bulk_create([unsaved(scope) for _ in texts])
    for row, words in zip(rows, texts, strict=True):
        text(row, messages=[{"role": "user", "content": words}], answer="fixed answer")
        if indexed:
            keeping.index_some()
            indexed -= 1
    terms = log_words.parse(query)
    expected = {
        row.pk
        for row, words in zip(rows, texts, strict=True)
        if not query.strip()  # nothing is looked for
        or terms
        and all(
            occurs(term, [*log_words.words_of(words), "|", "fixed", "answer"]) is not term.excluded for term in terms
        )
    }
    assert found(scope, query) == expected


@pytest.mark.parametrize("indexed", [True, False])
class TestQueries:
    @pytest.fixture(autouse=True)
    def _texts(self, scope, indexed):
        self.one = said(scope, "The parcel for Zoë arrived late; order_4711 was wet.")
        self.two = said(scope, "Parcels are late. The order 4712 arrived")
        self.three = said(scope, "東京の天気は?")
        if indexed:
            keeping.index_all()

    @pytest.mark.parametrize(
        ("query", "which"),
        [
            ("late", "12"), ("LATE parcel", "1"), ("parcel*", "12"), ("zoe", "1"), ('"arrived late"', "1"),
            ('"late arrived"', ""), ("late -parcel", "2"), ("-late", "3"), ("order_4711", "1"), ("order", "12"),
            ("4711 4712", ""), ("天気", "3"), ("東天", ""), ('"the parcel', "1"), ("late NOT wet", ""), ("a* OR", ""),
            ('late"', "12"), ("'; DROP TABLE x; --", ""), ("words:late", ""), ("w:1", ""),
            ("*", ""), ("-", ""), ("!?", ""),
        ],
    )  # fmt: skip
    def test_are_understood(self, scope, query, which):
        ids = {"1": self.one, "2": self.two, "3": self.three}
        assert found(scope, query) == {ids[one] for one in which}


@pytest.mark.parametrize("indexed", [True, False])
@pytest.mark.parametrize("known", [10_000, 3, 0])
def test_neither_other_workspaces_nor_other_peoples_calls_are_found(scope, member, indexed, known, monkeypatch):
    monkeypatch.setattr(log_search, "KNOWN_AT_ONCE", known)
    me, other = member("author"), member("author")
    mine, theirs = said(scope, "secret plan", user=me), said(scope, "secret plan", user=other)
    elsewhere = factories.workspace()
    hidden = said(elsewhere, "secret plan", user=me)
    if indexed:
        keeping.index_all()
    assert found(scope, "secret") == {mine, theirs}
    assert found(scope, "secret", viewer=me.pk) == {mine}
    assert found(scope, "-nothing", viewer=me.pk) == {mine}
    assert found(elsewhere, "secret -nothing", viewer=me.pk) == {hidden}
    query = LogQuery(scope.pk, text="secret", viewer=me.pk)
    assert [pk for some in log_pages.every(query) for pk in some] == [mine]
    assert set(log_pages.biggest(replace(query, order="cost"), size=9, skip=0).ids) <= {mine}


def test_everything_of_a_call_is_searched(scope):
    row = log(scope)
    messages = [
        {"role": "system", "content": "alpha"},
        {"role": "user", "content": [{"type": "text", "text": "beta gamma"}, {"type": "image", "url": "delta"}]},
    ]
    text(row, messages=messages, answer="epsilon", error="zeta", parameters={"stop": "eta"})
    keeping.index_all()
    for word in ("alpha", "beta", "delta", "epsilon", "zeta"):
        assert found(scope, word) == {row.pk}, word
    for word in ("eta", "user", '"alpha beta"', '"gamma epsilon"'):
        assert found(scope, word) == set(), word


@pytest.mark.parametrize("apart", [500, -1])
def test_common_words_are_found_by_looking_through_the_calls(scope, monkeypatch, apart):
    """In the index, or where few calls lie far apart in their texts."""
    monkeypatch.setattr(log_search, "APART", apart)
    monkeypatch.setattr(log_search, "KNOWN_AT_ONCE", 5)
    monkeypatch.setattr(log_pages, "CHUNK", 7)
    rows = [said(scope, "common" + (" rare" if n % 10 == 0 else "")) for n in range(30)]
    keeping.index_all()
    rows.append(said(scope, "common and new"))
    page = log_pages.page(LogQuery(scope.pk, text="common"), size=12)
    assert page.ids == sorted(rows, reverse=True)[:12]
    older = log_pages.page(LogQuery(scope.pk, text="common"), size=12, begin=page.keys[-1])
    assert older.ids == sorted(rows, reverse=True)[12:24]
    assert found(scope, "common rare") == set(rows[:30:10])
    others = said(factories.workspace(), "common")
    assert log_search.Search(log_words.parse("common"), scope.pk).among([others, *rows]) == set(rows)
    assert log_pages.biggest(LogQuery(scope.pk, text="common", order="cost"), size=5, skip=0).note


def test_what_is_forgotten_is_found_no_more(scope):
    kept, gone = said(scope, "tulip rose"), said(scope, "tulip daisy")
    keeping.index_all()
    keeping.forget([gone])
    InteractionText.objects.filter(pk=gone).delete()
    assert found(scope, "tulip") == {kept}
    assert found(scope, "daisy") == set()
    assert log_search.backend().first([f"w:{scope.pk}"], log_words.parse("daisy"), 5) == []


def test_another_version_of_the_words_makes_the_index_anew(scope, monkeypatch):
    row = said(scope, "tulip")
    keeping.index_all()
    LogIndexMark.objects.filter(name="words").update(version=0)
    assert found(scope, "tulip") == {row}
    keeping.index_all()
    assert found(scope, "tulip") == {row}
    assert LogIndexMark.objects.get(name="words").version == log_words.VERSION


def test_a_search_says_when_it_could_not_look_at_all(scope, monkeypatch):
    monkeypatch.setattr(log_search, "READ_AT_MOST", 3)
    for _ in range(5):
        said(scope, "tulip")
    page = log_pages.page(LogQuery(scope.pk, text="tulip"), size=10)
    assert len(page.ids) == 3
    assert page.unread
    keeping.index_all()
    assert len(found(scope, "tulip")) == 5


def test_a_page_looks_through_new_texts_only_for_a_moment_and_says_so(scope, monkeypatch):
    monkeypatch.setattr(log_search, "READ_SECONDS", -1)
    monkeypatch.setattr(log_search, "READ_TOGETHER", 2)
    rows = [said(scope, "tulip") for _ in range(5)]
    page = log_pages.page(LogQuery(scope.pk, text="tulip"), size=10)
    assert (page.ids, page.unread) == ([rows[4], rows[3]], 3)
    assert log_pages.count_upto(LogQuery(scope.pk, text="tulip"), 10) == (5, True)  # what is done with all takes longer
    keeping.index_all()
    page = log_pages.page(LogQuery(scope.pk, text="tulip"), size=10)
    assert (page.ids, page.unread) == (rows[::-1], 0)


def test_very_long_texts_are_cut_and_never_fail(scope):
    words = " ".join(f"w{n}" for n in range(40_000))
    row = said(scope, words + " " + "x" * 500)
    keeping.index_all()
    assert found(scope, "w29000 w1") == {row}
    assert found(scope, "w39999") == set()
    assert found(scope, "y" * 5_000) == set()
