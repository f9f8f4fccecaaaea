from __future__ import annotations

import asyncio
import os
import threading
import time

import pytest

from llm_admin.jobs.local import LoopThread


@pytest.fixture
def loop():
    made = LoopThread("test-loop")
    yield made
    made.stop()


async def name_of_thread():
    return threading.current_thread().name


def test_it_runs_in_a_thread_of_its_own(loop):
    assert loop.run(name_of_thread()) == "test-loop"


def test_periodic_work_goes_on_after_a_failure(loop):
    calls = []

    async def work():
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("once")

    loop.every(lambda: 0.01, work)
    deadline = time.monotonic() + 30
    while len(calls) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_forked_child_gets_a_loop_of_its_own(loop):
    loop.run(name_of_thread())
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writer, loop.run(name_of_thread()).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(reader, 100) == b"test-loop"


def test_what_a_coroutine_raises_reaches_the_caller(loop):
    async def fail():
        await asyncio.sleep(0)
        raise KeyError("here")

    with pytest.raises(KeyError):
        loop.run(fail())
