"""Every address of workflows, runs, approvals, batches and host rows, with what no form sends: never a 500."""

from __future__ import annotations

import json
import uuid

import pytest
from django.urls import NoReverseMatch, reverse

from tests.permissions.declarations import PAGES
from tests.permissions.test_walk import address, browser, world  # noqa: F401

pytestmark = pytest.mark.django_db

AREAS = ("workflow", "run", "approval", "batch", "gallery", "shop_product_workflow")
NAMES = sorted(n for n in PAGES if any(area in n for area in AREAS))
DEEP = "[" * 3000 + "]" * 3000
SPEC = {"inputs": [{"name": "topic"}], "steps": [{"type": "llm", "id": "a", "text": "x {{topic}}"}]}
ODD = [
    "", "\x00", "9" * 5000, "-1", "²", "١", "null", "[]", "{}", "[[]]", '{"steps": {}}', '{"steps": [1]}', "1e999",
    "[1e999]", '{"steps": [{"type": "llm", "id": "\\u0000", "text": 1e999}]}', DEEP, "1[999999999999].yes.x", "\ud83d",
    '{"steps": [{"type": []}]}', '{"inputs": [{"name": []}], "steps": [{"type": "llm", "id": "a"}]}',
    '{"inputs": {"a": 1}, "steps": [{"type": "branch", "id": "b", "yes": {"x": 1}, "conditions": 3}]}',
    '["steps", 99999999999999999999999]', '["steps", 0, "yes", {}]', "NaN", '["\\ud800"]', "not-a-uuid",
    str(uuid.UUID(int=0)), '{"a": ' + "9" * 5000 + "}", "%s{{x}}",
]  # fmt: skip
FIELDS = [
    "spec", "step", "location", "inputs", "input-topic", "value-topic", "kind-topic", "workflow", "version", "model",
    "run", "start", "decision", "text", "word", "concurrency", "most", "from-topic", "fixed-topic", "ids", "do",
    "in-topic", "out-", "out-tagline", "tick", "seen-1", "row", "number", "label", "based_on", "name", "client_key",
    "base", "event", "slug", "pk", "now", "all", "pasted", "taken", "whole", "show", "page", "prompt", "type", "since",
    "status", "seen", "had", "q", "o", "e", "_changelist_filters", "action", "lists", "messages",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_odd_values_are_refused_not_broken(world, name):  # noqa: F811
    client = browser(world["owner"])
    client.raise_request_exception = False
    url = address(name, PAGES[name], world["objects"])
    broken = []
    for odd in ODD:
        for what in bodies(odd, world["objects"]):
            for method in (client.post, client.get):
                answer = method(url, what)
                if answer.status_code >= 500:
                    broken.append((method.__name__, odd[:40], {k: str(v)[:30] for k, v in what.items()}, str(answer.exc_info[1])[:200] if answer.exc_info else ""))
    assert broken == []


def bodies(odd, objects):
    """All fields odd at once; then one at a time what is right elsewhere."""
    text = odd.encode("utf-8", "replace").decode()
    right = {
        "spec": json.dumps(SPEC), "workflow": str(objects["workflow"]), "location": '["steps", 0]', "text": "x",
        "decision": "approve", "ids": "[]", "step": json.dumps(SPEC["steps"][0]), "version": "1", "number": "1",
        "from-topic": "0", "concurrency": "5", "label": "staging",
    }  # fmt: skip
    yield dict.fromkeys(FIELDS, text)
    for one in right:
        yield right | {one: text}
    yield right | {"do": "start", "in-topic": text}
    yield right | {"do": "preview", "in-topic": text, "out-": text}
    yield {}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("odd", ["0", "9" * 30, "9" * 5000, "x", "\x00", str(uuid.UUID(int=0)), "é"])
def test_odd_addresses_are_not_found(world, name, odd):  # noqa: F811
    client = browser(world["owner"])
    client.raise_request_exception = False
    try:
        url = reverse(f"admin:{name}", kwargs=dict.fromkeys(PAGES[name].arguments, odd))
    except NoReverseMatch:
        return
    assert client.get(url).status_code < 500
    assert client.post(url).status_code < 500
