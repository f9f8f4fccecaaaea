"""Values for variables and answers, invented: recognisable, harmless, about as long as the tokens that are counted."""

from __future__ import annotations

import json
from random import Random
from typing import Any

CHARACTERS_PER_TOKEN = 4

VALUES: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (
        ("mail", "message", "ticket", "complaint", "inquiry", "review", "feedback", "comment", "question"),
        (
            "Hello, my order 40817 should have been here on Monday. Where is it? I need it for a birthday on Saturday.",
            "I was charged twice this month. Please check my invoice and return one of the payments.",
            "The export stops at about 80 percent since the last update. I tried two browsers. What can I do?",
            "Great service, but the colour is not the one in the picture. May I exchange it, and who pays the postage?",
        ),
    ),
    (
        ("clause", "contract", "agreement", "terms", "policy", "legal"),
        (
            "Either party may terminate this agreement with thirty days' written notice to the end of a month.",
            "The supplier's liability is limited to the fees paid in the twelve months before the event.",
            "All materials remain the property of the client and are returned or destroyed at the end of the project.",
        ),
    ),
    (
        ("product", "item", "feature", "service"),
        ("a folding bicycle for commuters", "herbal tea in compostable bags", "a booking tool for small hotels"),
    ),
    (("tone", "style", "voice"), ("friendly and clear", "matter-of-fact", "warm, without exclamation marks")),
    (("language", "locale"), ("English", "German", "Spanish")),
    (("audience", "reader", "customer", "persona"), ("first-time buyers", "IT managers", "parents of small children")),
    (("length", "count", "number", "words"), ("3", "120", "5")),
    (("company", "brand", "organisation", "organization"), ("Northwind Traders", "Blue Yonder Tea", "Fabrikam")),
    (
        ("text", "article", "document", "notes", "transcript", "content", "body", "draft", "report"),
        (
            "Sales grew by eight percent in the third quarter, mostly in the north. Returns fell after the new size "
            "guide went online. The team asks for a second warehouse before the winter season begins.",
            "We met for half an hour. Ana will send the numbers by Friday. The launch moves to the second week of May, "
            "because the translation is late. Nobody objected to the new price list.",
        ),
    ),
)
OTHERS = (
    "the spring campaign",
    "our opening hours",
    "a delayed delivery",
    "the new price list",
    "moving to a new office",
)

SENTENCES = (
    "Thank you for writing to us; this is what we can do.",
    "The most important point comes first, the details follow.",
    "Three things stand out, and each has a simple next step.",
    "The wording is clear, but the second paragraph could be shorter.",
    "We suggest a short note to everyone concerned before the end of the week.",
    "Nothing in the text contradicts this, and one passage supports it.",
    "In plain words: it works, it costs less, and it can be undone.",
    "If that does not help, a colleague will call back the same day.",
    "The date and the amount are named; the reason is missing.",
    "A reader who knows nothing about it would understand it now.",
    "The offer ends on Sunday, so the message should go out on Thursday.",
    "Two questions remain open and are listed at the end.",
)


def value(name: str, rng: Random) -> str:
    """For a variable of this name."""
    lowered = name.lower()
    for words, values in VALUES:
        if any(word in lowered for word in words):
            return rng.choice(values)
    return rng.choice(OTHERS)


def answer(tokens: int, rng: Random) -> str:
    wanted = max(tokens, 1) * CHARACTERS_PER_TOKEN
    text = ""
    while len(text) < wanted:
        text += ("" if not text else "\n\n" if rng.random() < 0.2 else " ") + rng.choice(SENTENCES)
    return text


def json_answer(keys: list[Any], rng: Random) -> dict[str, Any]:
    """With the keys that a parser step expects (`OutputField`s)."""
    makers = {
        "text": lambda: rng.choice(SENTENCES),
        "any": lambda: rng.choice(SENTENCES),
        "number": lambda: round(rng.uniform(0, 10), 1),
        "whole_number": lambda: rng.randint(1, 10),
        "yes_no": lambda: rng.random() < 0.5,
        "list": lambda: rng.sample(SENTENCES, 2),
        "object": dict,
    }
    return {key.name: makers[key.type]() for key in keys} or {"result": rng.choice(SENTENCES)}


def as_json(data: dict[str, Any]) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False)


def tokens_of(chat: list[dict[str, str]]) -> int:
    return max(1, sum(len(message["content"]) for message in chat) // CHARACTERS_PER_TOKEN)
