"""From a table to the inputs of a workflow: which column fills which input, and what is wrong with which row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from llm_admin.exceptions import InvalidInput, Problem
from llm_admin.schemas.variables import VariableSpec, check_values
from llm_admin.services.batch_files import Table
from llm_admin.services.batches import MOST_PROBLEMS, RowInput

SHORTEST = 4  # letters of a name that is looked for within a column's


@dataclass(frozen=True)
class Source:
    """A column (its place in the table), or a value typed for all rows, or neither: the input's default."""

    column: int | None = None
    fixed: str | None = None


Sources = Mapping[str, Source]


@dataclass(frozen=True)
class RowProblem:
    """`row` counts from 1 below the names of the columns; `place` as a spreadsheet does."""

    row: int
    place: int
    input: str
    column: str
    message: str

    def __str__(self) -> str:
        where = f", column “{self.column}”" if self.column else ""
        return f"Row {self.row} (row {self.place} of the file){where}: {self.message}"


@dataclass(frozen=True)
class Cell:
    value: Any
    problem: str = ""


@dataclass(frozen=True)
class PreviewRow:
    number: int
    cells: list[Cell]


def guess(variables: Sequence[VariableSpec], columns: Sequence[str]) -> dict[str, Source]:
    """By name or label, then by a name within a column's; a single input takes a single column."""
    plain = [_plain(column) for column in columns]
    found: dict[str, Source] = {}
    taken: set[int] = set()
    for same in (_says_the_same, _is_within):
        for variable in variables:
            if variable.name in found:
                continue
            matching = [at for at, name in enumerate(plain) if at not in taken and same(variable, name)]
            if len(matching) == 1 or (matching and same is _says_the_same):
                found[variable.name] = Source(matching[0])
                taken.add(matching[0])
    if not found and len(variables) == len(columns) == 1:
        found[variables[0].name] = Source(0)
    return {variable.name: found.get(variable.name, Source()) for variable in variables}


def _plain(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def _says_the_same(variable: VariableSpec, column: str) -> bool:
    return column in (_plain(variable.name), _plain(variable.title))


def _is_within(variable: VariableSpec, column: str) -> bool:
    name = _plain(variable.name)
    return len(name) >= SHORTEST and name in column


def field_problems(variables: Sequence[VariableSpec], sources: Sources) -> dict[str, str]:
    """What is wrong whatever the rows say: an input that nothing fills, a typed value that does not do."""
    problems = {}
    for variable in variables:
        source = sources.get(variable.name, Source())
        if source.column is not None:
            continue
        if source.fixed is not None:
            wrong = (
                variable.problem(source.fixed) if source.fixed.strip() else "is to be the same for all rows: type it"
            )
        else:
            wrong = "" if variable.default or not variable.required else "is needed: choose a column, or type a value"
        if wrong:
            problems[variable.name] = f"“{variable.title}” {wrong}."
    return problems


def rows(
    table: Table, variables: Sequence[VariableSpec], sources: Sources, *, most: int | None = None
) -> Iterator[RowInput]:
    for row in islice(table.rows, most):
        yield RowInput(_inputs(variables, sources, row), table.original(row))


def _inputs(variables: Sequence[VariableSpec], sources: Sources, row: Sequence[Any]) -> dict[str, Any]:
    inputs = {}
    for variable in variables:
        source = sources.get(variable.name, Source())
        value = source.fixed if source.column is None else row[source.column]
        if value is not None and (not isinstance(value, str) or value.strip()):
            inputs[variable.name] = value
    return inputs


def row_problems(
    table: Table, variables: Sequence[VariableSpec], sources: Sources, *, most: int | None = None
) -> list[RowProblem]:
    """Of the first rows that have any; not more than MOST_PROBLEMS."""
    found: list[RowProblem] = []
    for number, row in enumerate(rows(table, variables, sources, most=most), start=1):
        try:
            check_values(variables, row.inputs)
        except InvalidInput as error:
            found += [_at_row(table, sources, number, problem) for problem in error.problems]
            if len(found) >= MOST_PROBLEMS:
                return found[:MOST_PROBLEMS]
    return found


def _at_row(table: Table, sources: Sources, number: int, problem: Problem) -> RowProblem:
    name = str(problem.location[1])
    column = sources.get(name, Source()).column
    shown = "" if column is None else table.columns[column]
    return RowProblem(number, table.numbers[number - 1], name, shown, problem.message)


def preview(table: Table, variables: Sequence[VariableSpec], sources: Sources, *, count: int) -> list[PreviewRow]:
    """The first rows with their values as they will be."""
    made = []
    for number, row in enumerate(rows(table, variables, sources, most=count), start=1):
        made.append(PreviewRow(number, [_cell(variable, row.inputs.get(variable.name)) for variable in variables]))
    return made


def _cell(variable: VariableSpec, given: Any) -> Cell:
    try:
        return Cell(check_values([variable], {variable.name: given})[variable.name])
    except InvalidInput as error:
        return Cell("" if given is None else given, error.problems[0].message)


def names_of(table: Table, sources: Sources) -> dict[str, str]:
    """As the batch remembers it: input -> column."""
    return {name: table.columns[source.column] for name, source in sources.items() if source.column is not None}
