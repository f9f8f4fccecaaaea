"""How a prompt's texts name their variables: in our own syntax, or in one that an imported prompt brought along.

A syntax is a module with
- `names(text)`: the variables, once each, in order of appearance;
- `problem(text)`: why the text cannot be filled in, with the place; "" when it can;
- `render(text, values)`: raises ValueError with a sentence;
- `to_console(text)`: the same text in our syntax; raises ValueError where that cannot be said.
"""

from __future__ import annotations

from types import ModuleType
from typing import Literal

Syntax = Literal["console", "f-string", "jinja2"]


def syntax_of(name: Syntax) -> ModuleType:
    from llm_admin.schemas.syntaxes import console, f_string, jinja

    return {"console": console, "f-string": f_string, "jinja2": jinja}[name]
