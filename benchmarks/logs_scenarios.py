"""The pages that are measured. Each is a list of addresses that are asked for in turn."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable
from urllib.parse import urlencode

from logs_texts import COMMON, RARE

HOME, LOGS = "/admin/", "/admin/llm_admin/interactionlog/"
BARE = "/admin/help/"  # the frame of every page, and hardly a query
VARIANTS = 20
HEAVIEST = ("source", "status", "cached")  # their first values leave most of the calls

Values = dict[str, list[str]]
Scenarios = dict[str, list[str]]


def all_of(values: Values, logs: list[int]) -> Scenarios:
    """`values` by the name of a filter: the one used most first, then others, then one hardly ever used."""
    return (
        {"a bare page": [BARE]}
        | _homes(values)
        | _lists(values)
        | {"log: its page": [f"{LOGS}{n}/change/" for n in logs]}
    )


def _homes(values: Values) -> Scenarios:
    chance = random.Random(6)
    found = {f"home: {key}": [_home(key)] for key in ("24h", "7d", "30d", "90d")}
    for name, some in values.items():
        found[f"home 90d: {name}"] = [_home("90d", {name: value}) for value in some]
    pairs, triples = (list(itertools.combinations(values, size)) for size in (2, 3))
    for word, sets in {"two": pairs, "three": [HEAVIEST, *chance.sample(triples, VARIANTS)]}.items():
        often = [{name: values[name][0] for name in names} for names in sets]
        mixed = [{name: chance.choice(values[name]) for name in names} for names in sets]
        found[f"home 90d: any {word} filters"] = [_home("90d", query) for query in often + mixed]
    return found


def _home(period: str, query: dict[str, str] | None = None) -> str:
    return f"{HOME}?{urlencode({'range': period, **(query or {})})}"


def _lists(values: Values) -> Scenarios:
    found = {"logs: newest": [LOGS]}
    singles: Iterable[tuple[str, list[str]]] = [*values.items(), ("cost", ["known", "unknown"])]
    for name, some in singles:
        found[f"logs: {name}"] = [f"{LOGS}?{urlencode({name: value})}" for value in some]
    for when in ("1h", "24h", "90d"):
        found[f"logs: when={when}"] = [f"{LOGS}?when={when}"]
    pairs = [(one, other) for one, other in itertools.combinations(("status", "model", "source", "user", "prompt"), 2)]
    chance = random.Random(7)
    found["logs: any two filters"] = [
        f"{LOGS}?{urlencode({name: chance.choice(values[name]) for name in pair})}" for pair in pairs
    ]
    words = {f"rare word ({times})": word for word, times in RARE.items()}
    words |= {"common word": COMMON, "no hit": "qqjjzzxxvv"}
    for what, word in words.items():
        found[f"logs: {what}"] = [f"{LOGS}?q={word}"]
    found["logs: rare word and a filter"] = [f"{LOGS}?q=sasquine&status=failed", f"{LOGS}?q={COMMON}&error=internal"]
    return found
