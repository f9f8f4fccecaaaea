"""The sandbox in which templates run, and what is put into their code so that they stay within limits."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, nodes, pass_context
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from llm_admin.schemas.syntaxes.jinja import filters
from llm_admin.schemas.syntaxes.jinja.filters import concatenated, limited, printable
from llm_admin.schemas.syntaxes.jinja.limits import CURRENT, Refused, check_parts, check_size, counted, weighed
from llm_admin.schemas.syntaxes.jinja.rules import FILTERS, LOOP, METHODS, check


class Method:
    """What a value can do. It is called or nothing: written out it would show an object of ours."""

    __slots__ = ("_run", "_name")

    def __init__(self, name: str, run: Any) -> None:
        self._run, self._name = run, name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        budget = CURRENT.get()
        budget.check_time()
        if self._name == "split":
            text, separator = self._run.__self__, args[0] if args else None
            check_parts(text.count(separator) if separator else len(text) // 2)
        return self._run(*args, **kwargs)

    def __str__(self) -> str:
        raise Refused(f"“.{self._name}” has to be called, with ().")

    __repr__ = __str__


class Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset("+")

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if hasattr(left, "__len__") and hasattr(right, "__len__"):
            check_size(len(left) + len(right))
        CURRENT.get().check_time()
        return weighed(super().call_binop(context, operator, left, right))

    def getattr(self, obj: Any, attribute: str) -> Any:
        found = super().getattr(obj, attribute)
        if callable(found) and attribute in METHODS and not isinstance(found, StrictUndefined):
            return Method(attribute, found)
        return found

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Values are texts, numbers, lists and dictionaries: of what they can do, only what texts need."""
        allowed = LOOP if isinstance(obj, LoopContext) else METHODS
        return attr in allowed and super().is_safe_attribute(obj, attr, value)


@pass_context  # and so nothing is filled in while the template is only read
def finalize(_: Any, value: Any) -> Any:
    return printable(value)


@lru_cache(maxsize=1)
def environment() -> Environment:
    made = Environment(
        undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True, finalize=finalize, optimized=False
    )
    made.globals = {}
    stock = made.filters
    own = {
        "replace": filters.replace,
        "join": filters.join,
        "round": filters.rounded,
        "list": filters.listed,
        "tojson": filters.tojson_of(stock["tojson"]),
    }
    ours = {"llm_counted": counted, "llm_weighed": weighed, "llm_concatenated": concatenated}
    made.filters = {name: limited(own.get(name, stock[name])) for name in FILTERS} | ours
    return made


def parsed(text: str) -> nodes.Template:
    return environment().parse(text)


@lru_cache(maxsize=64)
def compiled(text: str) -> Any:
    """Raises ValueError with a sentence and the line."""
    try:
        tree = parsed(text)
        check(tree)
        for loop in tree.find_all(nodes.For):
            loop.iter = _through("llm_counted", loop.iter)
        tree = Bounded().visit(tree)
        return environment().from_string(tree)
    except TemplateSyntaxError as error:
        raise ValueError(f"Line {error.lineno}: {str(error.message).rstrip('.')}.") from None
    except (TemplateError, RecursionError, MemoryError, SyntaxError, OverflowError):
        raise ValueError("The template is nested too deeply.") from None


def _through(name: str, node: Any) -> Any:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


class Bounded(NodeTransformer):
    """Weighs what a template puts together: lists, dictionaries, and texts with “~”."""

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
