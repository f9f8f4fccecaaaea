"""The words of calls in PostgreSQL: a tsvector each, made from words that are split already, under a GIN index."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.db import connection

from llm_admin.selectors.log_words import BREAK, Term

TABLE = "llm_admin_logwords"
CREATE = (
    f"CREATE TABLE {TABLE} (log_id bigint PRIMARY KEY, words tsvector NOT NULL);"
    f"CREATE INDEX {TABLE}_words ON {TABLE} USING gin (words)"
)
DROP = f"DROP TABLE IF EXISTS {TABLE}"
SETTLED_AT_ONCE = False  # a call with a lower id may become visible later than one with a higher
MOST_PLACES = 255  # of a word; a tsvector keeps no more
LAST_PLACE = 16_383
# In a text that is too long for exact places, a phrase counts as found when all of its words are in it.
LONG = "long:"

Document = tuple[int, Sequence[str]]


def add(documents: Iterable[Document]) -> None:
    rows = [(pk, _vector(words)) for pk, words in documents]
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {TABLE} (log_id, words) VALUES (%s, %s::tsvector) "  # noqa: S608
            "ON CONFLICT (log_id) DO UPDATE SET words = excluded.words",
            rows,
        )


def remove(documents: Iterable[Document]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {TABLE} WHERE log_id = ANY(%s)", [[pk for pk, _ in documents]])  # noqa: S608


def clear() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {TABLE}")


def has(ids: Sequence[int]) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT log_id FROM {TABLE} WHERE log_id = ANY(%s)", [list(ids)])  # noqa: S608
        return {row[0] for row in cursor.fetchall()}


def first(scope: Sequence[str], terms: Sequence[Term], limit: int) -> list[int]:
    """Some that match, at most `limit`: the newest ones would have to be sorted out of all."""
    return _ids("LIMIT %s", scope, terms, limit)


def between(scope: Sequence[str], terms: Sequence[Term], low: int, high: int) -> list[int]:
    return _ids("AND log_id BETWEEN %s AND %s", scope, terms, low, high)


def _ids(rest: str, scope: Sequence[str], terms: Sequence[Term], *numbers: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT log_id FROM {TABLE} WHERE words @@ %s::tsquery {rest}",  # noqa: S608
            [_query(scope, terms), *numbers],
        )
        return [row[0] for row in cursor.fetchall()]


def _vector(words: Sequence[str]) -> str:
    at: dict[str, list[int]] = defaultdict(list)
    for place, word in enumerate(words, start=1):
        if word != BREAK:
            at[word].append(place)
    long = len(words) > LAST_PLACE or any(len(places) > MOST_PLACES for places in at.values())
    if long:
        at[LONG] = [1]
    return " ".join(f"'{word}':{','.join(map(str, _kept(places)))}" for word, places in at.items())


def _kept(places: list[int]) -> list[int]:
    return [place for place in places[:MOST_PLACES] if place <= LAST_PLACE] or [LAST_PLACE]


def _query(scope: Sequence[str], terms: Sequence[Term]) -> str:
    parts = [f"'{one}'" for one in scope]
    parts += [f"!({_phrase(term)})" if term.excluded else f"({_phrase(term)})" for term in terms]
    return " & ".join(parts)


def _phrase(term: Term) -> str:
    """Words are letters and digits only, so there is nothing to escape."""
    lexemes = [f"'{word}'" for word in term.words]
    if term.prefix:
        lexemes[-1] += ":*"
    if len(lexemes) == 1:
        return lexemes[0]
    exact = " <-> ".join(lexemes)
    return exact if term.excluded else f"{exact} | ('{LONG}' & {' & '.join(lexemes)})"
