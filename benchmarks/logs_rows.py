"""Calls as a team makes them, drawn with numpy: rhythm of the day and week, favourites, bad hours, all correlated."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import numpy as np
from logs_world import VERSIONS, Workspace

# Fixed, so that the same rows come every time; between the two, Europe sets its clocks to summer time.
END = dt.datetime(2026, 4, 2, 10, 40, tzinfo=dt.UTC)
DAYS = 90
CHUNK = 200_000
SOURCES = np.array(["code", "studio", "batch", "admin", "command"], dtype=object)
STATUSES = np.array(["succeeded", "failed", "cancelled", "interrupted"], dtype=object)
ERRORS = np.array(
    ["timeout", "rate_limit", "provider_down", "parse_error", "content_filter", "context_too_long", "internal"],
    dtype=object,
)
SELDOM_ERROR = "authentication"
BAD_HOURS = (101, 555, 777, 1303, 1900)  # a third of the calls fails, all are slow
SELDOM = 30  # calls, all of the first day, by the last prompt, model and person

Columns = dict[str, Any]


def chunks(worlds: list[Workspace], count: int, seed: int, days: int = DAYS) -> Iterator[Columns]:
    """In the order in which calls ended, which is not quite the one in which they began."""
    rng = np.random.default_rng(seed)
    begin = END - dt.timedelta(days=days)
    hours = _per_hour(count, begin, days * 24, rng)
    start, first = 0, True
    for group in _groups(hours):
        amount = int(hours[group].sum())
        yield _chunk(worlds, begin, group, hours[group], start, np.random.default_rng([seed, start]), seldom=first)
        start, first = start + amount, False


def _per_hour(count: int, begin: dt.datetime, hours: int, rng: np.random.Generator) -> Any:
    moments = [begin + dt.timedelta(hours=n) for n in range(hours)]
    day = np.array([0.35 + 0.65 * np.exp(-((m.hour - 13) ** 2) / 22) for m in moments])
    week = np.array([0.4 if m.weekday() > 4 else 1.0 for m in moments])
    growth = np.linspace(0.7, 1.3, len(moments))
    weights = day * week * growth
    return rng.multinomial(count, weights / weights.sum())


def _groups(hours: Any) -> Iterator[Any]:
    """Neighbouring hours with about CHUNK calls together."""
    edges = np.searchsorted(np.cumsum(hours), np.arange(CHUNK, hours.sum() + CHUNK, CHUNK))
    begin = 0
    for edge in [*edges[:-1], len(hours) - 1]:
        if edge + 1 > begin:
            yield np.arange(begin, edge + 1)
            begin = edge + 1


def _chunk(
    worlds: list[Workspace], begin: dt.datetime, hours: Any, amounts: Any, start: int, rng: Any, *, seldom: bool
) -> Columns:
    hour = np.repeat(hours, amounts)
    created = np.sort(round(begin.timestamp() * 1e6) + hour * 3_600_000_000 + rng.integers(1, 3_600_000_000, len(hour)))
    which = (rng.random(len(hour)) > worlds[0].share).astype(int)
    full: Columns = {}
    for number, world in enumerate(worlds):
        rows = np.flatnonzero(which == number)
        drawn = _draw(world, created[rows], hour[rows], rng, seldom=SELDOM if seldom and number == 0 else 0)
        for name, values in drawn.items():
            full.setdefault(name, np.zeros(len(hour), dtype=values.dtype))[rows] = values
        full.setdefault("workspace_id", np.zeros(len(hour), dtype=np.int64))[rows] = world.id
    full["created"] = created
    order = np.argsort(created + full["latency_ms"] * 1000, kind="stable")
    full = {name: values[order] for name, values in full.items()}
    full["id"] = np.arange(start + 1, start + 1 + len(hour))
    return full


def _favourites(count: int, power: float = 1.1) -> Any:
    """Zipf-like; the last one by chance never."""
    weights = 1 / np.arange(1, count + 1) ** power
    weights[-1] = 0
    return weights / weights.sum()


def _pick(rng: Any, count: int, amount: int, power: float = 1.1) -> Any:
    return rng.choice(count, amount, p=_favourites(count, power))


def _draw(world: Workspace, created: Any, hour: Any, rng: Any, *, seldom: int) -> Columns:
    amount = len(created)
    flow = np.where(rng.random(amount) < 0.55, _pick(rng, len(world.workflows) + 1, amount), -1)
    prompt = _pick(rng, len(world.prompts), amount)
    prompt[(flow < 0) & (rng.random(amount) < 0.05)] = -1  # unsaved text
    source = np.where(flow >= 0, _weighted(rng, amount, (50, 15, 25, 5, 5)), _weighted(rng, amount, (40, 40, 8, 8, 4)))
    user = _pick(rng, len(world.users), amount, 1.0)
    user[rng.random(amount) < np.array([0.75, 0, 0.75, 0, 0.9])[source]] = -1  # code, and nobody in particular
    user[:seldom], prompt[:seldom], flow[:seldom] = len(world.users) - 1, len(world.prompts) - 1, -1
    head, step = _runs(world, flow, prompt)
    drawn = {"flow": flow, "step": step, "prompt": prompt, "source": source[head], "user": user[head]}
    drawn |= {"run_us": created[head], "run_low": rng.integers(1 << 60, size=amount)[head]}
    chance = {"age": hour // 24, "chance": rng.random(amount)}
    return drawn | chance | _outcome(world, drawn, hour, rng, np.arange(amount) < seldom)


def _weighted(rng: Any, amount: int, weights: tuple[int, ...]) -> Any:
    return rng.choice(len(weights), amount, p=np.array(weights) / sum(weights))


def _outcome(world: Workspace, drawn: Columns, hour: Any, rng: Any, seldom: Any) -> Columns:
    amount, models = len(hour), world.models
    own = np.arange(len(world.prompts) + 1) * 7 % (len(models) - 1)  # a prompt's own model
    model = np.where(rng.random(amount) < 0.8, own[drawn["prompt"]], _pick(rng, len(models), amount))
    model[seldom] = len(models) - 1
    bad = np.isin(hour, BAD_HOURS)
    cached = (rng.random(amount) < 0.12) & ~seldom
    failing = np.where(bad, 0.33, 0.025)
    dice = rng.random(amount)
    status = np.select([cached, dice < failing, dice < failing + 0.008, dice < failing + 0.011], [0, 1, 2, 3], 0)
    error = np.where(status == 1, _weighted(rng, amount, (30, 25, 15, 12, 8, 7, 3)), -1)
    status[seldom], error[seldom] = 1, len(ERRORS)
    slow = np.where(bad, 3.0, 1.0)
    output = np.maximum(1, rng.lognormal(4.6, 0.6, amount)).astype(np.int64)
    first_of = np.array([one.first_ms for one in models])[model]
    first = np.maximum(1, first_of * slow * rng.lognormal(0, 0.4, amount)).astype(np.int64)
    token_ms = np.array([one.token_ms for one in models])[model]
    latency = first + (output * token_ms * slow * rng.lognormal(0, 0.2, amount)).astype(np.int64)
    latency[cached] = first[cached] = rng.integers(1, 6, int(cached.sum()))
    second = rng.random(amount) < 0.2
    place = np.where(second & (np.array([len(one.places) for one in models])[model] > 1), 1, 0)
    return {"model": model, "place": place, "cached": cached, "status": status, "error": error, "latency_ms": latency,
            "first": first, "input": np.maximum(4, rng.lognormal(5.5, 0.7, amount)).astype(np.int64),
            "output": output}  # fmt: skip


def _runs(world: Workspace, flow: Any, prompt: Any) -> tuple[Any, Any]:
    """Calls of a workflow one after another are a run of it, a step each: where it begins, and the step."""
    head, step = np.arange(len(flow)), np.full(len(flow), -1)
    for number, (_, used) in enumerate(world.workflows):
        rows = np.flatnonzero(flow == number)
        step[rows] = np.arange(len(rows)) % len(used)
        head[rows] = rows[np.arange(len(rows)) // len(used) * len(used)]
        prompt[rows] = np.array(used)[step[rows]]
    return head, step


def version_of(prompt: Any, age: Any, chance: Any) -> Any:
    """Which version of its prompt a call used: each came about three weeks after the one before; some lag behind."""
    newest = np.clip((age + (prompt * 5) % 13 - 6) // 21, 0, VERSIONS - 1)
    return np.where(chance < 0.1, np.maximum(newest - 1, 0), newest)
