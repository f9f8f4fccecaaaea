"""Every address of workflows, runs, approvals, batches and host rows, with what no form sends: never a 500."""

from __future__ import annotations

import json
import uuid

import pytest
from django.urls import NoReverseMatch, reverse

from tests.permissions.declarations import PAGES
from tests.permissions.test_walk import address, browser, world  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

AREAS = ("workflow", "run", "approval", "batch", "gallery", "shop_product_workflow")
NAMES = sorted(n for n in PAGES if any(area in n for area in AREAS))
DEEP = "[" * 3000 + "]" * 3000
SPEC = {"inputs": [{"name": "topic"}], "steps": [{"type": "llm", "id": "a", "text": "x {{topic}}"}]}
ODD = [
    "", "\x00", "9" * 5000, "²", "[[]]", '{"steps": {}}', '{"steps": [1]}', "[1e999]", DEEP, "1[999999999999].yes.x",
    '{"steps": [{"type": []}]}', '{"inputs": [{"name": []}], "steps": [{"type": "llm", "id": "a"}]}',
    '{"inputs": {"a": 1}, "steps": [{"type": "branch", "id": "b", "yes": {"x": 1}, "conditions": 3}]}',
    '["steps", 99999999999999999999999, {}]', '["\\ud800"]', str(uuid.UUID(int=0)),
]  # fmt: skip
EACH = ["9" * 5000, "\x00"]
FIELDS = [
    "spec", "step", "location", "inputs", "input-topic", "value-topic", "kind-topic", "workflow", "version", "model",
    "run", "start", "decision", "text", "word", "concurrency", "most", "from-topic", "fixed-topic", "ids", "do",
    "in-topic", "out-", "out-tagline", "tick", "seen-1", "row", "number", "label", "based_on", "name", "client_key",
    "base", "event", "slug", "pk", "now", "all", "pasted", "taken", "whole", "show", "page", "prompt", "type", "since",
    "status", "seen", "had", "q", "o", "e", "_changelist_filters", "action", "lists", "messages",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.slow
def test_odd_values_are_refused_not_broken(world, name):  # noqa: F811
    client = browser(world["owner"])
    client.raise_request_exception = False
    url = address(name, PAGES[name], world["objects"])
    broken = []
    for method, body in bodies(client, world["objects"]):
        answer = method(url, body)
        if answer.status_code >= 500:
            error = answer.exc_info[1] if getattr(answer, "exc_info", None) else ""
            broken.append((method.__name__, {key: value[:30] for key, value in body.items()}, repr(error)[:200]))
    assert broken == []


def bodies(client, objects):
    """All fields odd at once; then one at a time, with what is right in the others."""
    right = {
        "spec": json.dumps(SPEC), "workflow": str(objects["workflow"]), "location": '["steps", 0]', "text": "x",
        "decision": "approve", "ids": "[]", "step": json.dumps(SPEC["steps"][0]), "version": "1", "number": "1",
        "from-topic": "0", "concurrency": "5", "label": "staging", "do": "preview", "start": "1", "in-topic": "name",
    }  # fmt: skip
    yield client.post, {}
    for odd in ODD:
        yield client.post, dict.fromkeys(FIELDS, odd)
    for odd in EACH:
        yield client.get, dict.fromkeys(FIELDS, odd)
    for one in right:
        yield client.post, right | {one: EACH[0]}


@pytest.mark.parametrize("odd", ["0", "9" * 30, "9" * 5000, "x", "\x00", str(uuid.UUID(int=0)), "é"])
def test_odd_addresses_are_not_found(world, odd):  # noqa: F811
    client = browser(world["owner"])
    client.raise_request_exception = False
    broken = []
    for name in NAMES:
        try:
            url = reverse(f"admin:{name}", kwargs=dict.fromkeys(PAGES[name].arguments, odd))
        except NoReverseMatch:
            continue
        broken += [url[:80] for method in (client.get, client.post) if method(url).status_code >= 500]
    assert broken == []
