"""Jinja2, as imported prompts have it: in its sandbox, and only the part of it that fills in texts.

Loops, conditions, filters and item access run exactly. What reaches outside the text (include, import), defines code
(macro, call, block, set of a namespace) or computes without end is refused with the line, before anything runs.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, Any

from llm_admin.schemas import template
from llm_admin.schemas.base import IDENTIFIER

if TYPE_CHECKING:
    from jinja2 import nodes
    from jinja2.sandbox import SandboxedEnvironment

MOST_ROUNDS = 100_000  # of all loops of one text together
MOST_CHARACTERS = 10_000_000
FILTERS = frozenset(
    [
        "abs",
        "capitalize",
        "count",
        "d",
        "default",
        "dictsort",
        "e",
        "escape",
        "first",
        "float",
        "forceescape",
        "int",
        "items",
        "join",
        "last",
        "length",
        "list",
        "lower",
        "max",
        "min",
        "replace",
        "reverse",
        "round",
        "safe",
        "sort",
        "string",
        "sum",
        "title",
        "tojson",
        "trim",
        "truncate",
        "unique",
        "upper",
        "urlencode",
        "wordcount",
        "map",
        "select",
        "reject",
        "selectattr",
        "rejectattr",
    ]
)
ALLOWED = frozenset(
    [
        "Template",
        "Output",
        "TemplateData",
        "Name",
        "Const",
        "List",
        "Tuple",
        "Dict",
        "Pair",
        "Keyword",
        "Getattr",
        "Getitem",
        "Slice",
        "Filter",
        "Test",
        "Compare",
        "Operand",
        "And",
        "Or",
        "Not",
        "CondExpr",
        "Concat",
        "For",
        "If",
        "Add",
        "Sub",
        "Neg",
        "Pos",
        "Assign",
    ]
)
METHODS = frozenset(
    [
        "items",
        "keys",
        "values",
        "get",
        "lower",
        "upper",
        "strip",
        "title",
        "split",
        "startswith",
        "endswith",
        "cycle",
        "changed",
    ]
)
LOOP = frozenset(
    [
        "index",
        "index0",
        "revindex",
        "revindex0",
        "first",
        "last",
        "length",
        "previtem",
        "nextitem",
        "depth",
        "cycle",
        "changed",
    ]
)
SECONDS = 2.0


class _Refused(ValueError):
    pass


def names(text: str) -> list[str]:
    from jinja2 import TemplateError, meta, nodes

    try:
        tree = _parsed(text)
        free = meta.find_undeclared_variables(tree)
    except (TemplateError, ValueError, RecursionError):
        return []
    return list(dict.fromkeys(node.name for node in tree.find_all(nodes.Name) if node.name in free))


def problem(text: str) -> str:
    try:
        _compiled(text)
    except ValueError as error:
        return str(error)
    return ""


def render(text: str, values: Mapping[str, Any]) -> str:
    from jinja2 import TemplateError
    from jinja2.exceptions import SecurityError

    pieces: list[str] = []
    length = 0
    try:
        budget = _Budget()
        for piece in _compiled(text).generate({**values, _BUDGET: budget}):
            pieces.append(piece)
            length += len(piece)
            _check_size(length)
            budget.check_time()
    except SecurityError as error:
        raise ValueError(f"The template asks for something that is not allowed: {error}.") from None
    except (TemplateError, TypeError, KeyError, ArithmeticError, AttributeError, IndexError, RecursionError) as error:
        raise ValueError(
            f"The template could not be filled in: {str(error).rstrip('.') or 'nested too deeply'}."
        ) from None
    return "".join(pieces)


def to_console(text: str) -> str:
    from jinja2 import nodes

    _compiled(text)
    pieces: list[str] = []
    for node in _parsed(text).body:
        if not isinstance(node, nodes.Output):
            raise ValueError(f"Line {node.lineno} has a loop or a condition; ours has none.")
        for part in node.nodes:
            pieces.append(_in_ours(part))
    converted = "".join(pieces)
    if template.identifiers(converted) != names(text):
        raise ValueError("Braces stand so close together that ours would read them differently.")
    return converted


def _in_ours(part: Any) -> str:
    from jinja2 import nodes

    if isinstance(part, nodes.TemplateData):
        return part.data
    if isinstance(part, nodes.Name) and IDENTIFIER.match(part.name):
        return f"{{{{{part.name}}}}}"
    raise ValueError(f"Line {part.lineno} does more than put a value in; ours only puts values in.")


_BUDGET = "llm_rounds"


class _Budget:
    def __init__(self) -> None:
        self.left = MOST_ROUNDS
        self.until = time.monotonic() + SECONDS

    def spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise _Refused(f"The template's loops go round more than {MOST_ROUNDS:,} times.")
        self.check_time()

    def check_time(self) -> None:
        if time.monotonic() > self.until:
            raise _Refused(f"Filling in the template takes more than {SECONDS:g} seconds.")


def _counted(context: Any, rows: Iterable[Any]) -> Iterator[Any]:
    budget = context[_BUDGET]
    for row in rows:
        budget.spend()
        yield row


def _check_size(length: int) -> None:
    if length > MOST_CHARACTERS:
        raise _Refused(f"The filled-in text is longer than {MOST_CHARACTERS:,} characters.")


def _limited(run: Any) -> Any:
    """A filter whose result cannot grow without end when it is applied again and again."""

    @wraps(run)
    def limited(*args: Any, **kwargs: Any) -> Any:
        made = run(*args, **kwargs)
        if isinstance(made, (str, list)):
            _check_size(len(made))
        return made

    return limited


def _replace(text: Any, old: Any, new: Any, count: int | None = None) -> str:
    text, old, new = str(text), str(old), str(new)
    _check_size(len(text) + (text.count(old) if old else len(text) + 1) * len(new))
    return text.replace(old, new, -1 if count is None else count)


def _printable(value: Any) -> Any:
    from jinja2 import Undefined

    if callable(value) and not isinstance(value, Undefined):
        raise _Refused("Call it, with (), or leave it away: only texts can be filled in.")
    return value


@lru_cache(maxsize=1)
def _environment() -> SandboxedEnvironment:
    from jinja2 import StrictUndefined, pass_context
    from jinja2.runtime import LoopContext
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Environment(ImmutableSandboxedEnvironment):
        intercepted_binops = frozenset("+")

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            if hasattr(left, "__len__") and hasattr(right, "__len__"):
                _check_size(len(left) + len(right))
            return super().call_binop(context, operator, left, right)

        def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
            """Values are texts, numbers, lists and dictionaries: of what they can do, only what texts need."""
            allowed = LOOP if isinstance(obj, LoopContext) else METHODS
            return attr in allowed and super().is_safe_attribute(obj, attr, value)

    made = Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True, finalize=_printable)
    made.globals = {}
    own = {"replace": _limited(_replace), "llm_counted": pass_context(_counted)}
    made.filters = {name: _limited(made.filters[name]) for name in FILTERS} | own
    return made


def _parsed(text: str) -> nodes.Template:
    return _environment().parse(text)


@lru_cache(maxsize=64)
def _compiled(text: str) -> Any:
    """Raises ValueError with a sentence and the line."""
    from jinja2 import TemplateError, TemplateSyntaxError, nodes

    try:
        tree = _parsed(text)
        _check(tree)
        for loop in tree.find_all(nodes.For):
            loop.iter = nodes.Filter(loop.iter, "llm_counted", [], [], None, None, lineno=loop.lineno)
        return _environment().from_string(tree)
    except TemplateSyntaxError as error:
        raise ValueError(f"Line {error.lineno}: {str(error.message).rstrip('.')}.") from None
    except (TemplateError, RecursionError, MemoryError, SyntaxError, OverflowError):
        raise ValueError("The template is nested too deeply.") from None


def _check(tree: nodes.Template) -> None:
    from jinja2 import nodes

    for node in tree.find_all(nodes.Node):
        kind = type(node).__name__
        where = f"Line {node.lineno}: "
        if isinstance(node, nodes.Call):
            _check_call(node)
        elif kind not in ALLOWED:
            raise _Refused(f"{where}“{_word(kind)}” is not available in prompts.")
        if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
            raise _Refused(f"{where}“.{node.attr}” is not available in prompts.")
        if isinstance(node, nodes.Filter) and node.name not in FILTERS:
            raise _Refused(f"{where}the filter “{node.name}” is not available in prompts.")
        if isinstance(node, nodes.For) and node.recursive:
            raise _Refused(f"{where}recursive loops are not available in prompts.")
        if isinstance(node, nodes.Name) and (node.name.startswith("__") or node.name == _BUDGET):
            raise _Refused(f"{where}“{node.name}” is not available in prompts.")
        if isinstance(node, nodes.Assign):
            _check_assignment(node)


def _check_assignment(node: Any) -> None:
    from jinja2 import nodes

    if not isinstance(node.target, nodes.Name):
        raise _Refused(f"Line {node.lineno}: set only single names.")
    if node.node.find(nodes.Concat) is not None:
        raise _Refused(f"Line {node.lineno}: “~” is not available behind “set”.")  # doubled again and again


def _check_call(node: Any) -> None:
    from jinja2 import nodes

    target = node.node
    if not (isinstance(target, nodes.Getattr) and target.attr in METHODS):
        raise _Refused(f"Line {node.lineno}: nothing can be called here but {', '.join(sorted(METHODS))}.")


def _word(kind: str) -> str:
    return {"FromImport": "import", "CallBlock": "call", "FilterBlock": "filter block"}.get(kind, kind.lower())
