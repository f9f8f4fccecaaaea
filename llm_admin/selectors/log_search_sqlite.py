"""The words of calls in SQLite: an FTS5 table that keeps no texts of its own. It gets words that are split already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import connection

from llm_admin.selectors.log_words import Term

TABLE = "llm_admin_logwords"
# "ascii" leaves everything beyond ASCII as it is: the words are folded and split before they come here.
CREATE = f"CREATE VIRTUAL TABLE {TABLE} USING fts5(words, content='', columnsize=0, tokenize=\"ascii tokenchars ':'\")"
DROP = f"DROP TABLE IF EXISTS {TABLE}"
SETTLED_AT_ONCE = True  # one writer at a time: ids are visible in their order

Document = tuple[int, Sequence[str]]  # (id of the call, its scope and words)


def add(documents: Iterable[Document]) -> None:
    rows = [(pk, " ".join(words)) for pk, words in documents]
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {TABLE} (rowid, words) VALUES (%s, %s)", rows)  # noqa: S608


def remove(documents: Iterable[Document]) -> None:
    """With the same words as they were added: the table keeps none from which it could know them."""
    rows = [(pk, " ".join(words)) for pk, words in documents]
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {TABLE} ({TABLE}, rowid, words) VALUES ('delete', %s, %s)", rows)  # noqa: S608


def clear() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {TABLE} ({TABLE}) VALUES ('delete-all')")  # noqa: S608


def first(scope: Sequence[str], terms: Sequence[Term], limit: int) -> list[int]:
    """The newest that match, at most `limit`."""
    return _ids("ORDER BY rowid DESC LIMIT %s", scope, terms, limit)


def between(scope: Sequence[str], terms: Sequence[Term], low: int, high: int) -> list[int]:
    return _ids("AND rowid BETWEEN %s AND %s", scope, terms, low, high)


def _ids(rest: str, scope: Sequence[str], terms: Sequence[Term], *numbers: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT rowid FROM {TABLE} WHERE {TABLE} MATCH %s {rest}",  # noqa: S608
            [_query(scope, terms), *numbers],
        )
        return [row[0] for row in cursor.fetchall()]


def _query(scope: Sequence[str], terms: Sequence[Term]) -> str:
    wanted = [f'"{one}"' for one in scope] + [_phrase(term) for term in terms if not term.excluded]
    unwanted = [_phrase(term) for term in terms if term.excluded]
    query = "(" + " AND ".join(wanted) + ")"
    return f"{query} NOT ({' OR '.join(unwanted)})" if unwanted else query


def _phrase(term: Term) -> str:
    """Words are letters and digits only, so there is nothing to escape."""
    return f'"{" ".join(term.words)}"' + (" *" if term.prefix else "")
