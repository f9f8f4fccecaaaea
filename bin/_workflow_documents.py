"""The workflows that the pictures of bin/screenshots show, besides those of the demo."""

from __future__ import annotations

import json
from typing import Any

QUESTIONS = "Where is my delivery, order 48213?\nI want my money back.\nDo you open on Sundays?"
ANSWERS: dict[str, Any] = {
    "inputs": [{"name": "questions", "type": "list", "label": "Questions", "default": QUESTIONS}],
    "steps": [
        {
            "type": "for_each",
            "id": "answers",
            "title": "For each question",
            "items": "questions",
            "item": "question",
            "steps": [
                {
                    "type": "classify",
                    "id": "kind",
                    "title": "What is it about?",
                    "source": "question",
                    "categories": [{"name": "money"}, {"name": "delivery"}, {"name": "other"}],
                    "otherwise": "other",
                },
                {
                    "type": "branch",
                    "id": "answer",
                    "title": "About money?",
                    "conditions": [{"value": "kind", "operator": "is", "to": "money"}],
                    "yes": [{"type": "llm", "id": "money", "title": "Careful answer", "text": "Answer: {{question}}"}],
                    "no": [{"type": "template", "id": "short", "title": "Short answer", "text": "On: {{question}}"}],
                },
            ],
        },
        {"type": "template", "id": "reply", "title": "Put together", "text": "Hello,\n\n{{answers}}\n\nYour team"},
    ],
}
# Its second step cannot read what the first one gives.
FAILS: dict[str, Any] = {
    "inputs": [{"name": "offer", "type": "text", "label": "Offer", "default": "Twelve lamps, price on request"}],
    "steps": [
        {"type": "template", "id": "line", "title": "Write the line", "text": "Offer: {{offer}}"},
        {"type": "parser", "id": "price", "title": "Read the price", "source": "line", "format": "number"},
        {"type": "template", "id": "reply", "title": "Answer", "text": "That makes {{price}}."},
    ],
}
SLOW: dict[str, Any] = {
    "inputs": [{"name": "topic", "type": "text", "label": "Topic", "default": "rain"}],
    "steps": [
        {"type": "template", "id": "task", "title": "Write the task", "text": "A short text about {{topic}}."},
        {"type": "llm", "id": "draft", "title": "Draft", "text": "{{task}}", "model": "slow"},
        {"type": "llm", "id": "short", "title": "Shorten", "text": "Shorter: {{draft}}", "model": "slow"},
    ],
}
ROWS: dict[str, Any] = {
    "inputs": [
        {"name": "name", "type": "text", "label": "Name"},
        {"name": "age", "type": "number", "label": "Age", "required": False},
        {"name": "tone", "type": "text", "label": "Tone", "default": "warm"},
    ],
    "steps": [{"type": "llm", "id": "letter", "title": "Greet", "text": "Greet {{name}}, {{tone}}."}],
}
SOME_FAIL: dict[str, Any] = {
    "inputs": [{"name": "price", "type": "text", "label": "Price"}],
    "steps": [{"type": "parser", "id": "number", "title": "Read the price", "source": "price", "format": "number"}],
}
WORKFLOWS = {
    "Answer every question": ANSWERS,
    "Price of an offer": FAILS,
    "Draft, slowly": SLOW,
    "Greet everybody": ROWS,
    "Greet everybody, slowly": ROWS | {"steps": [ROWS["steps"][0] | {"model": "slow"}]},
    "Read prices": SOME_FAIL,
}
PREPARE = f"""
import json
from llm_admin.models import Connection, Deployment, LanguageModel
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import actors, workflows, workspaces
from llm_admin.tenancy import workspace_scope
ws = workspaces.default()
with workspace_scope(ws):
    model = LanguageModel.objects.create(workspace=ws, alias="slow", name="Demo, slowly")
    connection = Connection.objects.filter(provider="fake").first()
    Deployment.objects.create(model=model, connection=connection, provider_model="demo:slow")
    for name, spec in json.loads({json.dumps(WORKFLOWS)!r}).items():
        workflows.create(actor=actors.system(ws), name=name, spec=WorkflowSpec.model_validate(spec))
"""
