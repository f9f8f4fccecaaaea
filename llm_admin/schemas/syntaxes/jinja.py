"""Jinja2, as imported prompts have it: in its sandbox, and only the part of it that fills in texts.

Loops, conditions, filters and item access run exactly. What reaches outside the text (include, import), defines code
(macro, call, block, set of a namespace) or computes without end is refused with the line, before anything runs.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from functools import lru_cache, wraps
from itertools import islice
from typing import TYPE_CHECKING, Any

from llm_admin.schemas import template
from llm_admin.schemas.base import IDENTIFIER

if TYPE_CHECKING:
    from jinja2 import nodes
    from jinja2.sandbox import SandboxedEnvironment

MOST_ROUNDS = 100_000  # of all loops of one text together
MOST_CHARACTERS = 10_000_000
MOST_PARTS = 200_000  # of a list, those of the lists within it included
MOST_NODES = 10_000  # of the template itself
MOST_INDENT, MOST_DECIMALS = 16, 100
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
        _check(tree)
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
    budget = _Budget()
    token = _CURRENT.set(budget)
    try:
        for piece in _compiled(text).generate(dict(values)):
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
    finally:
        _CURRENT.reset(token)
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


_CURRENT: ContextVar[_Budget] = ContextVar("llm_budget")


def _counted(rows: Iterable[Any]) -> Iterator[Any]:
    budget = _CURRENT.get()
    for row in rows:
        budget.spend()
        yield row


def _check_size(length: int) -> None:
    if length > MOST_CHARACTERS:
        raise _Refused(f"The filled-in text is longer than {MOST_CHARACTERS:,} characters.")


def _check_parts(count: int) -> None:
    if count > MOST_PARTS:
        raise _Refused(f"A list in the template has more than {MOST_PARTS:,} parts.")


def _weighed(value: Any) -> Any:
    """Itself. A list that holds another one twice, again and again, is endless when it is written out."""
    waiting, parts, letters = [value], 0, 0
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            letters += len(one)
            _check_size(letters)
        elif isinstance(one, (list, tuple, dict)):
            parts += len(one)
            _check_parts(parts)
            waiting += [*one, *one.values()] if isinstance(one, dict) else one
    return value


def _limited(run: Any) -> Any:
    """A filter that takes time from the template's, and whose result cannot grow when it is applied again and again."""

    @wraps(run)
    def limited(*args: Any, **kwargs: Any) -> Any:
        _CURRENT.get().check_time()
        return _weighed(run(*args, **kwargs))

    return limited


def _replace(text: Any, old: Any, new: Any, count: int | None = None) -> str:
    text, old, new = str(text), str(old), str(new)
    _check_size(len(text) + (text.count(old) if old else len(text) + 1) * len(new))
    return text.replace(old, new, -1 if count is None else count)


def _join(values: Iterable[Any], d: Any = "", attribute: Any = None) -> str:
    from jinja2.filters import make_attrgetter

    parts = list(islice(values, MOST_PARTS + 1))
    _check_parts(len(parts))
    if attribute is not None:
        parts = list(map(make_attrgetter(_environment(), attribute), parts))
    return _concatenated(parts, str(d))


def _concatenated(values: list[Any], between: str = "") -> str:
    texts, length = [], len(between) * len(values)
    for value in values:
        texts.append(str(_printable(value)))
        length += len(texts[-1])
        _check_size(length)
    return between.join(texts)


def _tojson(run: Any) -> Any:
    @wraps(run)
    def tojson(context: Any, value: Any, indent: int | None = None) -> Any:
        if isinstance(indent, int) and indent > MOST_INDENT:
            raise _Refused(f"tojson indents by at most {MOST_INDENT}.")
        return run(context, value, indent)

    return tojson


def _round(value: Any, precision: int = 0, method: str = "common") -> float:
    from jinja2.filters import do_round

    if not isinstance(precision, int) or abs(precision) > MOST_DECIMALS:
        raise _Refused(f"round takes at most {MOST_DECIMALS} decimals.")
    return do_round(value, precision, method)  # type: ignore[arg-type]


def _list(value: Any) -> list[Any]:
    made = list(islice(value, MOST_PARTS + 1))
    _check_parts(len(made))
    return made


class _Method:
    """What a value can do. It is called or nothing: written out it would show an object of ours."""

    __slots__ = ("_run", "_name")

    def __init__(self, name: str, run: Any) -> None:
        self._run, self._name = run, name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        budget = _CURRENT.get()
        budget.check_time()
        if self._name == "split":
            text, separator = self._run.__self__, args[0] if args else None
            _check_parts(text.count(separator) if separator else len(text) // 2)
        return self._run(*args, **kwargs)

    def __str__(self) -> str:
        raise _Refused(f"“.{self._name}” has to be called, with ().")

    __repr__ = __str__


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
            _CURRENT.get().check_time()
            return _weighed(super().call_binop(context, operator, left, right))

        def getattr(self, obj: Any, attribute: str) -> Any:
            found = super().getattr(obj, attribute)
            if callable(found) and attribute in METHODS and not isinstance(found, StrictUndefined):
                return _Method(attribute, found)
            return found

        def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
            """Values are texts, numbers, lists and dictionaries: of what they can do, only what texts need."""
            allowed = LOOP if isinstance(obj, LoopContext) else METHODS
            return attr in allowed and super().is_safe_attribute(obj, attr, value)

    @pass_context  # and so nothing is filled in while the template is only read
    def finalize(_: Any, value: Any) -> Any:
        return _printable(value)

    made = Environment(
        undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True, finalize=finalize, optimized=False
    )
    made.globals = {}
    stock = made.filters
    own = {"replace": _replace, "join": _join, "round": _round, "list": _list, "tojson": _tojson(stock["tojson"])}
    ours = {"llm_counted": _counted, "llm_weighed": _weighed, "llm_concatenated": _concatenated}
    made.filters = {name: _limited(own.get(name, stock[name])) for name in FILTERS} | ours
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
            loop.iter = _through("llm_counted", loop.iter)
        tree = _bounded().visit(tree)
        return _environment().from_string(tree)
    except TemplateSyntaxError as error:
        raise ValueError(f"Line {error.lineno}: {str(error.message).rstrip('.')}.") from None
    except (TemplateError, RecursionError, MemoryError, SyntaxError, OverflowError):
        raise ValueError("The template is nested too deeply.") from None


def _through(name: str, node: Any) -> Any:
    from jinja2 import nodes

    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


def _bounded() -> Any:
    """Weighs what a template puts together: lists, dictionaries, and texts with “~”."""
    from jinja2 import nodes
    from jinja2.visitor import NodeTransformer

    class Bounded(NodeTransformer):
        def visit_List(self, node: Any) -> Any:
            self.generic_visit(node)
            return _through("llm_weighed", node) if getattr(node, "ctx", "load") == "load" else node

        visit_Dict = visit_List

        def visit_Tuple(self, node: Any) -> Any:
            self.generic_visit(node)
            return _through("llm_weighed", node) if node.ctx == "load" else node

        def visit_Concat(self, node: Any) -> Any:
            self.generic_visit(node)
            return _through("llm_concatenated", nodes.List(node.nodes, lineno=node.lineno))

    return Bounded()


def _check(tree: nodes.Template) -> None:
    from jinja2 import nodes

    for number, node in enumerate(tree.find_all(nodes.Node)):
        if number > MOST_NODES:
            raise _Refused(f"The template has more than {MOST_NODES:,} parts.")
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
        if isinstance(node, nodes.Name) and node.name.startswith("__"):
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
