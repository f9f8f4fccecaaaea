"""Random workflows that are valid, and what a second, much simpler interpreter says that they give."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st
from langchain_core.messages import HumanMessage

from llm_admin.runtime.providers.fake_answers import answer

INPUTS = {"a": "red\ngreen\nblue", "b": "7", "c": ""}
WORDS = ["red", "7", "x", "Green", "{y}", "é\n–"]


class Maker:
    """Draws blocks of steps; `left` is how many steps may still be made."""

    def __init__(self, draw: Any, left: int) -> None:
        self.draw, self.left, self.named = draw, left, 0

    def name(self, letter: str) -> str:
        self.named += 1
        return f"{letter}{self.named}"

    def block(self, known: list[str], depth: int, *, least: int = 0) -> list[dict[str, Any]]:
        known, steps = list(known), []
        for _ in range(self.draw(st.integers(least, 6))):
            if self.left <= 0:
                break
            self.left -= 1
            step = self.step(known, depth)
            steps.append(step)
            if not step.get("disabled"):
                known.append(step["id"])
        self.jumps(steps)
        return steps

    def step(self, known: list[str], depth: int) -> dict[str, Any]:
        kinds = ["template", "set", "llm", "list", "number"] + (["branch", "for_each"] * 2 if depth < 4 else [])
        kind = self.draw(st.sampled_from(kinds))
        step = {"id": self.name("s"), **getattr(self, kind)(known, depth)}
        if kind not in ("branch", "for_each") and self.draw(st.integers(0, 9)) == 0:
            step["disabled"] = True
        if self.draw(st.integers(0, 3)) == 0:
            step["failure"] = {"action": "value", "value": self.text(known)}
        return step

    def text(self, known: list[str]) -> str:
        parts = st.sampled_from([*WORDS, *(f"{{{{{name}}}}}" for name in known)])
        return "".join(self.draw(st.lists(parts, min_size=1, max_size=4)))

    def any(self, known: list[str]) -> str:
        return self.draw(st.sampled_from(known))

    def template(self, known: list[str], _depth: int) -> dict[str, Any]:
        return {"type": "template", "text": self.text(known)}

    def set(self, known: list[str], _depth: int) -> dict[str, Any]:
        value = f"{{{{{self.any(known)}}}}}" if self.draw(st.booleans()) else self.text(known)
        return {"type": "set", "kind": self.draw(st.sampled_from(["as_it_is", "text", "list"])), "value": value}

    def llm(self, known: list[str], _depth: int) -> dict[str, Any]:
        return {"type": "llm", "text": "Say " + self.text(known)}

    def list(self, known: list[str], _depth: int) -> dict[str, Any]:
        return {"type": "set", "kind": "list", "value": f"{{{{{self.any(known)}}}}}"}

    def number(self, known: list[str], _depth: int) -> dict[str, Any]:
        return {"type": "set", "kind": "number", "value": f"{{{{{self.any(known)}}}}}"}

    def branch(self, known: list[str], depth: int) -> dict[str, Any]:
        conditions = [self.condition(known) for _ in range(self.draw(st.integers(1, 2)))]
        way = self.draw(st.sampled_from(["all", "any"]))
        return {
            "type": "branch",
            "match": way,
            "conditions": conditions,
            "yes": self.block(known, depth + 1),
            "no": self.block(known, depth + 1),
        }

    def condition(self, known: list[str]) -> dict[str, Any]:
        operator = self.draw(st.sampled_from(["is", "is_not", "contains", "begins_with", "empty", "not_empty"]))
        to = "" if "empty" in operator else self.draw(st.sampled_from(WORDS))
        return {"value": self.any(known), "operator": operator, "to": to}

    def for_each(self, known: list[str], depth: int) -> dict[str, Any]:
        item = self.name("i")
        return {
            "type": "for_each",
            "items": self.any(known),
            "item": item,
            "parallel": self.draw(st.integers(1, 4)),
            "if_one_fails": self.draw(st.sampled_from(["stop", "leave_empty"])),
            "steps": self.block([*known, item], depth + 1),
        }

    def jumps(self, steps: list[dict[str, Any]]) -> None:
        for at, step in enumerate(steps):
            later = [one["id"] for one in steps[at + 1 :] if not one.get("disabled")]
            if later and self.draw(st.integers(0, 5)) == 0:
                step["failure"] = {"action": "go_to", "go_to": self.draw(st.sampled_from(later))}


@st.composite
def workflows(draw: Any) -> dict[str, Any]:
    maker = Maker(draw, left=draw(st.integers(1, 30)))
    steps = maker.block(list(INPUTS), 0, least=1)
    steps.append({"type": "template", "id": "last", "text": maker.text(list(INPUTS))})
    on = [step["id"] for step in steps if not step.get("disabled")]
    inputs = [{"name": name, "required": False} for name in INPUTS]
    return {"inputs": inputs, "steps": steps, "output": draw(st.sampled_from(on))}


class Fails(Exception):
    pass


def expected(spec: dict[str, Any], inputs: dict[str, Any]) -> Any:
    """Raises Fails. Written against the documentation, not against the product's code."""
    values = dict(inputs)
    block(spec["steps"], values)
    return values[spec["output"]]


def block(steps: list[dict[str, Any]], values: dict[str, Any]) -> Any:
    result, skip_to = None, None
    for step in steps:
        if step.get("disabled"):
            continue
        if skip_to not in (None, step["id"]):
            values[step["id"]] = None
            continue
        skip_to, failure = None, step.get("failure", {"action": "stop"})
        try:
            result = one(step, values)
        except Fails:
            if failure["action"] == "stop":
                raise
            result = fill(failure["value"], values) if failure["action"] == "value" else None
            skip_to = failure.get("go_to")
        values[step["id"]] = result
    return result


def one(step: dict[str, Any], values: dict[str, Any]) -> Any:
    kind = step["type"]
    if kind == "template":
        return text_of(step["text"], values)
    if kind == "llm":
        return answer([HumanMessage(text_of(step["text"], values))])
    if kind == "set":
        return convert(step["kind"], fill(step["value"], values))
    if kind == "branch":
        holds = [test(condition, values) for condition in step["conditions"]]
        way = "yes" if (all(holds) if step["match"] == "all" else any(holds)) else "no"
        return block(step[way], dict(values))
    value = values[step["items"]]
    if value is None:
        raise Fails
    return [entry(step, values, each) for each in (value if isinstance(value, list) else lines(words(value)))]


def entry(step: dict[str, Any], values: dict[str, Any], each: Any) -> Any:
    try:
        return block(step["steps"], {**values, step["item"]: each})
    except Fails:
        if step["if_one_fails"] == "stop":
            raise
        return None


def test(condition: dict[str, Any], values: dict[str, Any]) -> bool:
    value, to = values[condition["value"]], condition["to"].strip().casefold()
    text = words(value).strip().casefold()
    match condition["operator"]:
        case "empty":
            return value in (None, []) or not text
        case "not_empty":
            return not (value in (None, []) or not text)
        case "is":
            return text == to
        case "is_not":
            return text != to
        case "contains":
            return to in text
    return text.startswith(to)


def convert(kind: str, value: Any) -> Any:
    if kind == "text":
        return words(value)
    if kind == "number":
        try:
            return value if isinstance(value, int) else int(value)
        except (TypeError, ValueError):
            raise Fails from None
    if kind == "list":
        if isinstance(value, str):
            return lines(value)
        if not isinstance(value, list):
            raise Fails
    return value


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def fill(text: str, values: dict[str, Any]) -> Any:
    """A text that is one reference and nothing else is the value itself."""
    name = text.strip()[2:-2]
    return values[name] if text.strip() == f"{{{{{name}}}}}" and name in values else text_of(text, values)


def text_of(text: str, values: dict[str, Any]) -> str:
    pieces = text.split("{{")
    out = [pieces[0]]
    for piece in pieces[1:]:
        name, _, rest = piece.partition("}}")
        out.append(words(values[name]) + rest if name in values else "{{" + piece)
    return "".join(out)


def words(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        nested = any(isinstance(each, list) for each in value)
        return json.dumps(value, ensure_ascii=False, indent=2) if nested else "\n".join(words(each) for each in value)
    return str(value)
