"""Calls as a file: a line each, read some at a time, so that ten million take no more memory than a hundred.

It goes on after the request's workspace is closed, so it reads by the query, whose workspace was checked before.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO

from llm_admin.models import InteractionLog, InteractionText
from llm_admin.selectors import log_pages
from llm_admin.selectors.log_query import LogQuery
from llm_admin.selectors.logs import name_of
from llm_admin.services.batch_results import BOM, NANO, _csv, _xlsx_cell, harmless

AT_A_TIME = 500
SHEET_ROWS = 1_048_575  # under the head; a sheet holds no more
RELATED = ("prompt", "prompt_version", "workflow", "model", "deployment__connection", "user")


def _name(row: Any) -> str | None:
    return None if row is None else str(row)


def _cost(log: InteractionLog) -> float | None:
    return None if log.cost_nano is None else log.cost_nano / NANO


Reader = Callable[[InteractionLog, InteractionText | None], Any]
FIELDS: dict[str, Reader] = {
    "id": lambda log, _: log.pk,
    "created_at": lambda log, _: log.created_at.isoformat(),
    "status": lambda log, _: log.status,
    "error_kind": lambda log, _: log.error_kind or None,
    "source": lambda log, _: log.source,
    "cached": lambda log, _: log.cached,
    "name": lambda log, _: name_of(log),
    "prompt_id": lambda log, _: log.prompt_id,
    "version": lambda log, _: _name(log.prompt_version),
    "workflow_id": lambda log, _: log.workflow_id,
    "step": lambda log, _: log.step_path or None,
    "run_id": lambda log, _: str(log.run_id) if log.run_id else None,
    "model": lambda log, _: _name(log.model),
    "deployment": lambda log, _: _name(log.deployment),
    "user": lambda log, _: _name(log.user),
    "input_tokens": lambda log, _: log.input_tokens,
    "output_tokens": lambda log, _: log.output_tokens,
    "cached_input_tokens": lambda log, _: log.cached_input_tokens,
    "cache_write_tokens": lambda log, _: log.cache_write_tokens,
    "reasoning_tokens": lambda log, _: log.reasoning_tokens,
    "cost_usd": lambda log, _: _cost(log),
    "first_token_ms": lambda log, _: log.first_token_ms,
    "latency_ms": lambda log, _: log.latency_ms,
    "messages": lambda _, text: text.messages if text else None,
    "answer": lambda _, text: text.answer if text else None,
    "error": lambda _, text: text.error or None if text else None,
    "parameters": lambda _, text: text.parameters if text else None,
}


def records(query: LogQuery) -> Iterator[list[dict[str, Any]]]:
    """A page of calls at a time, newest first; unknown is None."""
    for ids in log_pages.every(query, AT_A_TIME):
        logs = log_pages.loaded(ids, *RELATED)
        texts = {text.log_id: text for text in InteractionText._base_manager.filter(log_id__in=ids)}
        yield [{name: read(log, texts.get(log.pk)) for name, read in FIELDS.items()} for log in logs]


def jsonl_parts(query: LogQuery) -> Iterator[bytes]:
    for some in records(query):
        lines = (json.dumps(record, ensure_ascii=False) + "\n" for record in some)
        yield "".join(lines).encode("utf-8", errors="replace")


def csv_parts(query: LogQuery) -> Iterator[bytes]:
    yield BOM.encode() + _csv([list(FIELDS)])
    for some in records(query):
        yield _csv([[harmless(_flat(value)) for value in record.values()] for record in some])


def _flat(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.9f}".rstrip("0").rstrip(".") or "0"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def write_xlsx(query: LogQuery, target: BinaryIO) -> None:
    """As many sheets as it takes."""
    from openpyxl import Workbook  # type: ignore[import-untyped]

    book, sheet, left = Workbook(write_only=True), None, 0
    for some in records(query):
        for record in some:
            if sheet is None or not left:
                sheet, left = _sheet(book), SHEET_ROWS
            sheet.append([_xlsx_cell(sheet, _cell(value)) for value in record.values()])
            left -= 1
    if sheet is None:
        _sheet(book)
    book.save(target)


def _sheet(book: Any) -> Any:
    sheet = book.create_sheet(f"Calls {len(book.worksheets) + 1}" if book.worksheets else "Calls")
    sheet.freeze_panes = "A2"
    sheet.append([_xlsx_cell(sheet, name, bold=True) for name in FIELDS])
    return sheet


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


KINDS: Sequence[str] = ("csv", "jsonl", "xlsx")
