"""The filters whose result could grow, within limits."""

from __future__ import annotations

from collections.abc import Iterable
from functools import wraps
from itertools import islice
from typing import Any

from jinja2 import Environment, Undefined, pass_environment
from jinja2.filters import do_round, make_attrgetter

from llm_admin.schemas.syntaxes.jinja.limits import CURRENT, MOST_PARTS, Refused, check_parts, check_size, weighed

MOST_INDENT, MOST_DECIMALS = 16, 100


def limited(run: Any) -> Any:
    """A filter that takes time from the template's, and whose result cannot grow when it is applied again and again."""

    @wraps(run)
    def limited(*args: Any, **kwargs: Any) -> Any:
        CURRENT.get().check_time()
        return weighed(run(*args, **kwargs))

    return limited


def replace(text: Any, old: Any, new: Any, count: int | None = None) -> str:
    text, old, new = str(text), str(old), str(new)
    check_size(len(text) + (text.count(old) if old else len(text) + 1) * len(new))
    return text.replace(old, new, -1 if count is None else count)


@pass_environment
def join(environment: Environment, values: Iterable[Any], d: Any = "", attribute: Any = None) -> str:
    parts = list(islice(values, MOST_PARTS + 1))
    check_parts(len(parts))
    if attribute is not None:
        parts = list(map(make_attrgetter(environment, attribute), parts))
    return concatenated(parts, str(d))


def concatenated(values: list[Any], between: str = "") -> str:
    texts, length = [], len(between) * len(values)
    for value in values:
        texts.append(str(printable(value)))
        length += len(texts[-1])
        check_size(length)
    return between.join(texts)


def printable(value: Any) -> Any:
    if callable(value) and not isinstance(value, Undefined):
        raise Refused("Call it, with (), or leave it away: only texts can be filled in.")
    return value


def tojson_of(run: Any) -> Any:
    @wraps(run)
    def tojson(context: Any, value: Any, indent: int | None = None) -> Any:
        if isinstance(indent, int) and indent > MOST_INDENT:
            raise Refused(f"tojson indents by at most {MOST_INDENT}.")
        return run(context, value, indent)

    return tojson


def rounded(value: Any, precision: int = 0, method: str = "common") -> float:
    if not isinstance(precision, int) or abs(precision) > MOST_DECIMALS:
        raise Refused(f"round takes at most {MOST_DECIMALS} decimals.")
    return do_round(value, precision, method)  # type: ignore[arg-type]


def listed(value: Any) -> list[Any]:
    made = list(islice(value, MOST_PARTS + 1))
    check_parts(len(made))
    return made
