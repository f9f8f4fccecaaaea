"""What a template may contain."""

from __future__ import annotations

from typing import Any

from jinja2 import nodes

from llm_admin.schemas.syntaxes.jinja.limits import MOST_NODES, Refused

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


def check(tree: nodes.Template) -> None:
    for number, node in enumerate(tree.find_all(nodes.Node)):
        if number > MOST_NODES:
            raise Refused(f"The template has more than {MOST_NODES:,} parts.")
        kind = type(node).__name__
        where = f"Line {node.lineno}: "
        if isinstance(node, nodes.Call):
            _check_call(node)
        elif kind not in ALLOWED:
            raise Refused(f"{where}“{_word(kind)}” is not available in prompts.")
        if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
            raise Refused(f"{where}“.{node.attr}” is not available in prompts.")
        if isinstance(node, nodes.Filter) and node.name not in FILTERS:
            raise Refused(f"{where}the filter “{node.name}” is not available in prompts.")
        if isinstance(node, nodes.For) and node.recursive:
            raise Refused(f"{where}recursive loops are not available in prompts.")
        if isinstance(node, nodes.Name) and node.name.startswith("__"):
            raise Refused(f"{where}“{node.name}” is not available in prompts.")
        if isinstance(node, nodes.Assign):
            _check_assignment(node)


def _check_assignment(node: Any) -> None:
    if not isinstance(node.target, nodes.Name):
        raise Refused(f"Line {node.lineno}: set only single names.")
    if node.node.find(nodes.Concat) is not None:
        raise Refused(f"Line {node.lineno}: “~” is not available behind “set”.")  # doubled again and again


def _check_call(node: Any) -> None:
    target = node.node
    if not (isinstance(target, nodes.Getattr) and target.attr in METHODS):
        raise Refused(f"Line {node.lineno}: nothing can be called here but {', '.join(sorted(METHODS))}.")


def _word(kind: str) -> str:
    return {"FromImport": "import", "CallBlock": "call", "FilterBlock": "filter block"}.get(kind, kind.lower())
