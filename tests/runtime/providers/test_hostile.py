"""Answers that no provider's documentation has: each ends as a failure with a kind, or the next place is not asked."""

from __future__ import annotations

import pytest

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.outgoing import transport
from tests.runtime.providers.kinds import KINDS
from tests.servers.raw_server import JSON, OK, STREAM, open_ended, whole

pytestmark = pytest.mark.parametrize("kind", KINDS, ids=repr)
REDIRECTED = b"HTTP/1.1 302 Found\r\ncontent-length: 0\r\nlocation: "
LIMITED = b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\nretry-after: "
ANSWERS = {
    "nothing at all": b"",
    "another protocol": b"SSH-2.0-OpenSSH_9\r\n",
    "empty": whole(b""),
    "empty stream": whole(b"", STREAM),
    "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "words": whole(b"OK", b"content-type: text/plain\r\n"),
    "page": whole(b"<html>hi</html>", b"content-type: text/html\r\n"),
    "null": whole(b"null"),
    "list": whole(b"[]"),
    "text": whole(b'"hm"'),
    "number": whole(b"7"),
    "other object": whole(b'{"a": 1}'),
    "list of nothing": whole(b'{"data": [null], "models": [null]}'),
    "list of texts": whole(b'{"data": ["a"], "models": ["a"]}'),
    "objects for lists": whole(b'{"data": {"a": 1}, "models": {"a": 1}, "choices": {"a": 1}}'),
    "no text": whole(b'{"data": [{"id": "\xff\xfe"}]}'),
    "no text in a stream": open_ended(b'data: {"choices": [{"delta": {"content": "\xff\xfe"}}]}\n\n'),
    "deep": whole(b"[" * 100_000),
    "deep in a stream": open_ended(b"data: " + b"[" * 100_000 + b"\n\n"),
    "no zip": OK + b"content-encoding: gzip\r\n" + JSON + b"content-length: 4\r\n\r\nabcd",
    "no chunk": OK + STREAM + b"transfer-encoding: chunked\r\n\r\nzzz\r\n",
    "too short": OK + JSON + b"content-length: 500\r\n\r\n{",
    "odd status": b"HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n",
    "error that is a number": whole(b'{"error": 5}', status=b"HTTP/1.1 400 Bad\r\n"),
    "error of lists": whole(b'{"error": {"message": ["x"], "code": {"a": 1}}}', status=b"HTTP/1.1 400 Bad\r\n"),
    "error that is no text": whole(b"\xff\xfe\xfd", status=b"HTTP/1.1 400 Bad\r\n"),
    "deep error": whole(b"[" * 100_000, status=b"HTTP/1.1 400 Bad\r\n"),
    "sent inside": REDIRECTED + b"http://169.254.169.254/\r\n\r\n",
    "sent to a file": REDIRECTED + b"file:///etc/passwd\r\n\r\n",
    "sent nowhere": REDIRECTED + b"http://[half/\r\n\r\n",
    "sent to no address": REDIRECTED + b"http://\x01/\r\n\r\n",
    "sent in a circle": REDIRECTED + b"/again\r\n\r\n",
    "wait until the end of time": LIMITED + b"Mon, 31 Dec 9999 23:59:59 -2359\r\n\r\n",
    "wait for no number": LIMITED + b"soon\r\n\r\n",
    **{f"event {event}": open_ended(b"data: " + event.encode() + b"\n\n") for event in ("null", "[]", "5", '"x"')},
    **{
        f"choices {told}": open_ended(b'data: {"choices": ' + told.encode() + b"}\n\n")
        for told in ("null", "[null]", "[{}]", "7", '[{"delta": "x"}]', '[{"index": 0, "delta": {"content": 7}}]')
    },
    **{
        f"candidates {told}": open_ended(b'data: {"candidates": ' + told.encode() + b"}\r\n\r\n")
        for told in ("null", "[null]", '[{"content": null}]', '[{"content": {"parts": "x"}}]')
    },
    **{
        f"{name} {told}": open_ended(f"event: {name}\ndata: {told}\n\n".encode())
        for name, told in (
            ("message_start", '{"type": "message_start"}'),
            ("message_start", "5"),
            ("content_block_delta", '{"type": "content_block_delta", "index": 0, "delta": null}'),
            ("error", "null"),
        )
    },
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=list(ANSWERS))
async def test_whatever_is_answered_is_a_failure_with_a_kind(ask, raw, endpoint, provider, kind, answer):
    raw.answer = answer
    call = await ask(base_url=raw.url)
    assert call.failure is not None
    assert call.failure.detail
    there = endpoint(base_url=raw.url)
    wanted = [provider.list_models(there), *([provider.embed(there, ["a", "b"])] if kind.embeds else [])]
    for asked in wanted:
        with pytest.raises(CallFailed) as caught:
            await asked
        assert caught.value.detail


@pytest.mark.parametrize(
    ("told", "wait"),
    [
        (b"7", 7),
        (b"-5", 0),
        (b"nan", 0),
        (b"Wed, 21 Oct 2015 07:28:00 GMT", 0),
        (b"soon", None),
        (b"", None),
    ],
)
async def test_how_long_to_wait(ask, raw, told, wait):
    raw.answer = LIMITED + told + b"\r\n\r\n"
    failure = (await ask(base_url=raw.url)).failure
    assert (failure.kind, failure.retry_after) == (ErrorKind.RATE_LIMIT, wait)


async def test_a_question_without_words(ask, raw, kind):
    """Gemini's library refuses it before any request; with the others it is the provider's business."""
    raw.answer = whole(b'{"error": {"message": "say something"}}', status=b"HTTP/1.1 400 Bad\r\n")
    failure = (await ask(question="", base_url=raw.url)).failure
    assert failure.kind == ErrorKind.BAD_REQUEST


async def test_a_line_without_an_end(ask, raw, monkeypatch):
    monkeypatch.setattr(transport, "MOST_BYTES", 1_000_000)
    raw.answer, raw.then = OK + STREAM + b"\r\ndata: ", b"x" * 100_000
    failure = (await ask(base_url=raw.url)).failure
    raw.then = b""
    assert (failure.kind, failure.detail) == (ErrorKind.PROVIDER_DOWN, transport.TOO_MUCH)


async def test_a_connection_that_is_reset(ask, raw):
    raw.answer, raw.reset = OK + STREAM + b"content-length: 5000\r\n\r\n", True
    failure = (await ask(base_url=raw.url)).failure
    raw.reset = False
    assert (failure.kind, failure.detail) == (ErrorKind.PROVIDER_DOWN, "the answer broke off")
