"""Real requests through the guard: what DNS and redirects do between the check and the connection."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import httpx2
import pytest

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.outgoing import OutgoingRefused, guarded_async_client, guarded_transport

LIBRARIES = pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])


class Server:
    def __init__(self) -> None:
        self.port, self.hosts, self.redirect = 0, [], ""  # the Host header of each request


@contextlib.contextmanager
def serving() -> Iterator[Server]:
    known = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known.hosts.append(self.headers["host"])
            self.send_response(302 if known.redirect and self.path == "/" else 200)
            if known.redirect and self.path == "/":
                self.send_header("location", known.redirect)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known.port = listener.server_address[1]
    threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True).start()
    yield known
    listener.shutdown()
    listener.server_close()


@pytest.fixture
def server():
    with serving() as one:
        yield one


async def get(library, url, **options):
    async with guarded_async_client(library, timeout=10, **options) as client:
        return await client.get(url)


@LIBRARIES
async def test_a_name_that_is_allowed_is_reached_under_its_name(library, server, names, allow):
    allow("inside.example")
    names.add("inside.example", ["127.0.0.1"])
    answer = await get(library, f"http://inside.example:{server.port}/")
    assert answer.status_code == 200
    assert server.hosts == [f"inside.example:{server.port}"]


@LIBRARIES
async def test_a_name_that_leads_inside_is_refused(library, server, names, allow):
    allow()
    names.add("evil.example", ["127.0.0.1"])
    with pytest.raises(OutgoingRefused, match="OUTGOING_PRIVATE_HOSTS"):
        await get(library, f"http://evil.example:{server.port}/")
    assert server.hosts == []


@LIBRARIES
async def test_one_address_inside_refuses_the_name(library, server, names, allow):
    allow()
    names.add("evil.example", ["8.8.8.8", "127.0.0.1"])
    with pytest.raises(OutgoingRefused):
        await get(library, f"http://evil.example:{server.port}/")


@LIBRARIES
async def test_an_answer_that_changes_between_check_and_use_changes_nothing(library, server, names, allow):
    """The name is asked for once; the connection goes to the address that was checked, which nobody answers at."""
    allow("127.0.0.9")
    names.add("rebinding.example", ["127.0.0.9"], ["127.0.0.1"])
    with pytest.raises(library.ConnectError):
        await get(library, f"http://rebinding.example:{server.port}/")
    assert names.asked == ["rebinding.example"]
    assert server.hosts == []
    with pytest.raises(OutgoingRefused):  # the next connection is checked anew
        await get(library, f"http://rebinding.example:{server.port}/")
    assert server.hosts == []


@LIBRARIES
async def test_of_several_addresses_the_one_that_answers_is_used(library, server, names, allow):
    allow("127.0.0.0/8")
    names.add("two.example", ["127.0.0.9", "127.0.0.1"])
    assert (await get(library, f"http://two.example:{server.port}/")).status_code == 200


@LIBRARIES
@pytest.mark.parametrize(
    "target",
    ["http://127.0.0.1:{other}/", "http://169.254.169.254/latest/meta-data", "//localhost:{other}/", "http://[::1]/"],
)
@pytest.mark.parametrize("anywhere", [False, True])
async def test_no_redirect_leads_inside(library, server, names, allow, target, anywhere):
    allow("start.example")
    names.add("start.example", ["127.0.0.1"])
    names.add("localhost", ["127.0.0.1"])
    with serving() as other:
        server.redirect = target.format(other=other.port)
        with pytest.raises(OutgoingRefused):
            await get(library, f"http://start.example:{server.port}/", anywhere=anywhere)
        assert (len(server.hosts), other.hosts) == (1, [])


@LIBRARIES
async def test_a_redirect_stays_on_its_server_unless_there_is_nothing_to_give_away(library, server, allow):
    allow("127.0.0.1")
    server.redirect = "/elsewhere"
    assert (await get(library, f"http://127.0.0.1:{server.port}/")).status_code == 200
    with serving() as other:
        server.redirect = f"http://127.0.0.1:{other.port}/x?secret=1"
        with pytest.raises(OutgoingRefused, match="sends requests on to") as refused:
            await get(library, f"http://127.0.0.1:{server.port}/", headers={"x-api-key": "planted"})
        assert "secret" not in refused.value.detail
        assert other.hosts == []
        assert (await get(library, f"http://127.0.0.1:{server.port}/", anywhere=True)).status_code == 200


@LIBRARIES
@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1"])
async def test_numbers_in_other_forms_go_nowhere(library, server, allow, host):
    allow("127.0.0.1")
    with pytest.raises((OutgoingRefused, library.InvalidURL)):
        await get(library, f"http://{host}:{server.port}/")
    assert server.hosts == []


@LIBRARIES
async def test_no_user_name_in_an_address(library, server, allow):
    allow("127.0.0.1")
    with pytest.raises(OutgoingRefused, match="no user name"):
        await get(library, f"http://me:word@127.0.0.1:{server.port}/")
    server.redirect = f"http://me:word@127.0.0.1:{server.port}/x"
    with pytest.raises(OutgoingRefused, match="no user name"):
        await get(library, f"http://127.0.0.1:{server.port}/")


@LIBRARIES
async def test_a_name_that_nobody_knows(library, names):
    with pytest.raises(CallFailed, match="nobody knows the name “missing.example”") as failed:
        await get(library, "http://missing.example/")
    assert failed.value.kind == ErrorKind.PROVIDER_DOWN
    assert not isinstance(failed.value, OutgoingRefused)


@LIBRARIES
@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_a_proxy_of_the_environment_is_no_way_around(library, server, allow, monkeypatch, variable):
    """The server would be the proxy, and fetch what we refuse."""
    allow()
    monkeypatch.setenv(variable, f"http://127.0.0.1:{server.port}")
    with pytest.raises(OutgoingRefused):
        await get(library, "http://127.0.0.1:9/")
    assert server.hosts == []


@pytest.mark.parametrize("option", ["proxy", "uds"])
def test_nothing_that_cannot_be_checked_can_be_asked_for(option):
    with pytest.raises(TypeError, match=option):
        guarded_transport(httpx, **{option: "http://127.0.0.1:1"})
