"""The parts of the test server that the providers' own tests do not need."""

import json
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest

from tests.servers.openai_server import Behaviour, OpenAIServer

ROOT = Path(__file__).parents[2]


def post(base_url, model, *, stream=True):
    body = {"model": model, "stream": stream, "messages": [{"role": "user", "content": "Hello there"}]}
    headers = {"Content-Type": "application/json"}
    return urllib.request.Request(f"{base_url}/chat/completions", json.dumps(body).encode(), headers)


def get(url, method="GET"):
    with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=30) as answer:
        return json.load(answer)


@pytest.fixture
def process(tmp_path):
    """A server of its own process, at its gate; as the kill -9 tests and the benchmarks use it."""
    options = ["--words", "3", "--gate", "--count-file", str(tmp_path / "count.jsonl")]
    command = [sys.executable, "-m", "tests.servers.openai_server", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        yield running.stdout.readline().split()[-1]
        running.terminate()


def test_as_a_process_it_counts_and_is_released_over_http(process, tmp_path):
    root = process.removesuffix("/v1")
    with urllib.request.urlopen(post(process, "any"), timeout=30) as answer:
        lines = iter(answer)
        words = [word_in(next(lines)) for _ in range(4)]
        assert [word for word in words if word] == ["word1 "], "the second waits"
        assert get(f"{root}/_stats")["open"] == 1
        get(f"{root}/_release?n=2", "POST")
        rest = [word for word in map(word_in, lines) if word]
    assert rest == ["word2 ", "word3 "]
    assert get(f"{root}/_stats")["requests"] == 1
    lines = (tmp_path / "count.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [{"model": "any", "question": "Hello there"}]


def word_in(line: bytes) -> str:
    if not line.startswith(b"data: {"):
        return ""
    choices = json.loads(line[6:])["choices"]
    return choices[0]["delta"].get("content", "") if choices else ""


def test_a_client_that_leaves_is_noticed_at_the_gate():
    with OpenAIServer() as server:
        server.script("x", Behaviour(gate=True))
        answer = urllib.request.urlopen(post(server.base_url, "x"), timeout=30)
        server.requests[0].wait_sent(1)
        assert not server.requests[0].closed.is_set()
        answer.close()
        assert server.requests[0].closed.wait(30)
        assert server.requests[0].closed_after == 1


def test_an_answer_that_was_read_to_its_end_was_not_closed():
    with OpenAIServer() as server:
        with urllib.request.urlopen(post(server.base_url, "words"), timeout=30) as answer:
            answer.read()
        assert server.requests[0].finished.wait(30)
        assert not server.requests[0].closed.is_set()


def test_answers_are_queued_before_they_are_scripted():
    with OpenAIServer() as server:
        server.script("x", Behaviour(text="scripted"))
        server.enqueue(Behaviour(text="queued"))
        said = [json.load(urllib.request.urlopen(post(server.base_url, "x", stream=False))) for _ in range(2)]
        assert [one["choices"][0]["message"]["content"] for one in said] == ["queued", "scripted"]


def test_it_is_gone_when_it_was_left():
    before = threading.active_count()
    with OpenAIServer() as server:
        server.script("x", Behaviour(hang=True))
        threading.Thread(
            target=lambda: pytest.raises(OSError, urllib.request.urlopen, post(server.base_url, "x"))
        ).start()
        server.wait_for(1)
    assert threading.active_count() <= before + 1
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"{server.base_url}/models", timeout=1)
