"""Jinja2, as imported prompts have it: in its sandbox, and only the part of it that fills in texts.

Loops, conditions, filters and item access run exactly. What reaches outside the text (include, import), defines code
(macro, call, block, set of a namespace) or computes without end is refused with the line, before anything runs.

rules.py: what is allowed. limits.py: what may grow how far. filters.py and environment.py: how it runs.
All but limits.py import Jinja2, and are imported only when a prompt needs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_admin.schemas import template
from llm_admin.schemas.base import IDENTIFIER
from llm_admin.schemas.syntaxes.jinja.limits import CURRENT, Budget, check_size


def names(text: str) -> list[str]:
    from jinja2 import TemplateError, meta, nodes

    from llm_admin.schemas.syntaxes.jinja.environment import parsed
    from llm_admin.schemas.syntaxes.jinja.rules import check

    try:
        tree = parsed(text)
        check(tree)
        free = meta.find_undeclared_variables(tree)
    except (TemplateError, ValueError, RecursionError):
        return []
    return list(dict.fromkeys(node.name for node in tree.find_all(nodes.Name) if node.name in free))


def problem(text: str) -> str:
    from llm_admin.schemas.syntaxes.jinja.environment import compiled

    try:
        compiled(text)
    except ValueError as error:
        return str(error)
    return ""


def render(text: str, values: Mapping[str, Any]) -> str:
    from jinja2 import TemplateError
    from jinja2.exceptions import SecurityError

    from llm_admin.schemas.syntaxes.jinja.environment import compiled

    pieces: list[str] = []
    length = 0
    budget = Budget()
    token = CURRENT.set(budget)
    try:
        for piece in compiled(text).generate(dict(values)):
            pieces.append(piece)
            length += len(piece)
            check_size(length)
            budget.check_time()
    except SecurityError as error:
        raise ValueError(f"The template asks for something that is not allowed: {error}.") from None
    except (TemplateError, TypeError, KeyError, ArithmeticError, AttributeError, IndexError, RecursionError) as error:
        raise ValueError(
            f"The template could not be filled in: {str(error).rstrip('.') or 'nested too deeply'}."
        ) from None
    finally:
        CURRENT.reset(token)
    return "".join(pieces)


def to_console(text: str) -> str:
    from jinja2 import nodes

    from llm_admin.schemas.syntaxes.jinja.environment import compiled, parsed

    compiled(text)
    pieces: list[str] = []
    for node in parsed(text).body:
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
