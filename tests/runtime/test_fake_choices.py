"""The demo model where a request says exactly what its answer looks like."""

from __future__ import annotations

import pytest

from llm_admin.runtime.providers.fake_choices import body_of, read_value, told_answer
from llm_admin.runtime.steps import classify
from llm_admin.schemas.steps.classify import ClassifyStep

STEP = ClassifyStep.model_validate(
    {
        "id": "c",
        "categories": [
            {"name": "refund", "description": "The customer wants money back."},
            {"name": "repair", "description": "Something is broken."},
            {"name": "other"},
        ],
    }
)


def told(text, before=""):
    return told_answer(f"{before}\n{text}", text)


@pytest.mark.parametrize(
    ("text", "category"),
    [("Please refund me, I want my money", "refund"), ("It arrived broken", "repair"), ("When are you open?", "other")],
)
def test_a_category_is_one_of_those_offered_and_fits(text, category):
    request = "\n".join(message["content"] for message in classify.messages(STEP, text))
    answer = told_answer(request, text)
    assert classify.chosen(STEP, answer) == category


def test_numbers_are_within_their_bounds_and_always_the_same():
    texts = [f"Lead {n}" for n in range(50)]
    numbers = [int(told(text, "Answer with one whole number from 10 to 20.")) for text in texts]
    assert numbers == [int(told(text, "Answer with one whole number from 10 to 20.")) for text in texts]
    assert min(numbers) >= 10
    assert max(numbers) <= 20
    assert len(set(numbers)) > 1


def test_yes_or_no():
    assert {told(f"Is {n} a lot?", "Answer only with yes or no.") for n in range(20)} == {"Yes", "No"}


def test_values_are_read_from_a_text_between_dashes():
    body = body_of("Read this:\n---\nInvoice INV-7, 1,250.50 EUR until 2026-04-30, a@b.example\nJo Weber\n---")
    found = [read_value(name, body) for name in ("invoice_number", "amount", "due_date", "email", "sender", "colour")]
    assert found == ["INV-7", 1250.5, "2026-04-30", "a@b.example", "Jo Weber", None]


def test_a_rewritten_text_is_calmer_and_anything_else_is_left_to_the_usual_answer():
    text = "Rewrite this:\n---\nWe are thrilled to announce that it is truly here!\n---"
    assert told(text) == "It is here."
    assert told("Tell me about rain.") is None
    assert told("Rewrite this: it rains") is None
