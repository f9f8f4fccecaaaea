from __future__ import annotations

import json
import signal
import socket
import sys
import time
import urllib.request

import pytest

from tests.tooling import checkout

MANAGE = """
import json, os, sys
names = ["DEMO", "SECRET_KEY", "DATABASE_URL", "DEBUG", "OUTGOING_PRIVATE_HOSTS"]
with open("calls.jsonl", "a") as calls:
    print(json.dumps([sys.argv[1:], {name: os.environ.get(name) for name in names}]), file=calls)
"""
THIS_MACHINE = {"OUTGOING_PRIVATE_HOSTS": "localhost,127.0.0.0/8,::1"}
ASGI = """
async def application(scope, receive, send):
    while scope["type"] == "lifespan":
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"here"})
"""


@pytest.fixture
def clone(tmp_path):
    clone = checkout.make(tmp_path)
    clone.pretend_installed()
    clone.write("manage.py", MANAGE)
    clone.write("console/__init__.py", "")
    clone.write("console/asgi.py", ASGI)
    return clone


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def calls(clone):
    file = clone.path / "calls.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def fetch(url, *, patience=60):
    deadline = time.monotonic() + patience
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                return answer.read()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "console.example.org", "127.0.0.1.example.org", "::"])
def test_an_address_that_others_can_reach_is_refused(clone, host):
    result = clone.run("bin/demo", HOST=host)
    assert result.returncode == 1
    assert f"HOST={host} is refused" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert calls(clone) == []


def test_a_taken_port_is_said_before_anything_is_written(clone):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        result = clone.run("bin/demo", PORT=str(taken))
    assert result.returncode == 1
    (message,) = result.stderr.splitlines()
    assert message.startswith(f"bin/demo: Port {taken} is taken by another program")
    assert f"PORT={taken + 1 if taken < 65535 else taken - 1} bin/demo" in message
    assert calls(clone) == []
    assert not (clone.path / "var").exists()


@pytest.mark.parametrize("port", ["0", "70000", "100000", "eighty", "-1"])
def test_a_port_that_is_none_is_refused(clone, port):
    result = clone.run("bin/demo", PORT=port)
    assert result.returncode == 1
    assert f"bin/demo: PORT={port} is not a port number" in result.stderr


def test_it_migrates_fills_and_serves_its_own_database(clone, port):
    server = clone.start("bin/demo", PORT=str(port), DATABASE_URL="postgres://production", DEBUG="1")
    try:
        assert fetch(f"http://127.0.0.1:{port}/") == b"here"
        server.send_signal(signal.SIGTERM)
        output, _ = server.communicate(timeout=60)
    finally:
        server.kill()

    key_file = clone.path / "var/secret_key"
    key = key_file.read_text().strip()
    assert len(key) >= 50
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert calls(clone) == [
        [arguments, {"DEMO": "1", "SECRET_KEY": key, "DATABASE_URL": None, "DEBUG": None} | THIS_MACHINE]
        for arguments in (["migrate", "--verbosity", "0"], ["demo"], ["demo_shop"])
    ]
    assert f"LLM Console: http://127.0.0.1:{port}/" in output
    assert "admin, author, operator, viewer (password: demo)" in output


def test_the_key_stays_the_same(clone, port):
    clone.write("var/secret_key", "kept", 0o600)
    clone.write("manage.py", MANAGE + "sys.exit(3)")
    assert clone.run("bin/demo", PORT=str(port)).returncode == 3
    assert calls(clone)[0][1]["SECRET_KEY"] == "kept"


def test_a_failing_migration_ends_it(clone, port):
    clone.write("manage.py", "import sys; sys.exit('broken')")
    result = clone.run("bin/demo", PORT=str(port))
    assert result.returncode == 1
    assert "broken" in result.stderr
    assert "LLM Console:" not in result.stdout


def test_it_says_that_python_is_too_old_as_setup_does(tmp_path):
    clone = checkout.make(tmp_path)
    clone.write("tools/python3", f"#!{checkout.SHELL}\necho old 3.8.1\n")
    result = clone.run("bin/demo")
    assert result.returncode == 1
    assert "needs Python 3.11 or newer, but only Python 3.8.1" in result.stderr


def test_ipv6(clone):
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
            port = probe.getsockname()[1]
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    clone.write("manage.py", "")
    # In the place of uvicorn: the arguments that it would get.
    python = f'[ "$2" = uvicorn ] && echo "$@" && exit\nexec "{sys.executable}" "$@"'
    clone.pretend_installed(python=python)
    output = clone.run("bin/demo", HOST="::1", PORT=str(port)).stdout
    assert f"http://[::1]:{port}/" in output
    assert f"--host ::1 --port {port} --lifespan on --timeout-graceful-shutdown 5" in output
