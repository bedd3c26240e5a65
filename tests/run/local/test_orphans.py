"""What is below a server in sessions of its own is ended with all that it leaves; the server's other processes stay."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

import psutil
import pytest

from scbench.run.local import orphans as module
from scbench.run.local.orphans import adopt_orphans, become_server, end_below, end_sessions, in_reach
from scbench.run.local.process_tree import children

# It has a process in its own session, one in another, and one below that in a third; it asks for those that have ended.
SERVER = """
import os, subprocess, time
from scbench.run.local.orphans import adopt_orphans
print(adopt_orphans())
print(subprocess.Popen(["sleep", "600"]).pid)
print(subprocess.Popen(["sleep", "600"], start_new_session=True).pid)
words = ["bash", "-c", "setsid sleep 600 & echo $!; exec sleep 600"]
apart = subprocess.Popen(words, start_new_session=True, stdout=subprocess.PIPE, text=True)
print(apart.pid)
print(apart.stdout.readline().strip(), flush=True)
while True:
    os.wait()
"""


@pytest.fixture
def server() -> Iterator[tuple[int, list[int]]]:
    """A server and the processes below it."""
    process = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    adopts = process.stdout.readline().strip()
    found = [int(process.stdout.readline()) for _ in range(4)]
    if adopts != "True":
        pytest.skip("this system does not let a process adopt orphans")
    yield process.pid, found
    end_below(process.pid)
    process.kill()
    process.communicate()


def alive(pids: list[int]) -> list[int]:
    found = []
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.append(pid)
    return found


def test_sessions_below_a_server_are_ended_and_its_own_and_what_is_spared_stay(server: tuple[int, list[int]]) -> None:
    pid, (own, spared, apart, below) = server
    assert end_sessions(pid, {spared}, seconds=10) == set()
    assert alive([own, spared, apart, below]) == [own, spared]
    assert sorted(children(pid)) == sorted([own, spared]), "also what went to the server is gone"


def test_what_cannot_be_ended_is_returned(server: tuple[int, list[int]], monkeypatch: pytest.MonkeyPatch) -> None:
    pid, (_own, first, apart, _below) = server

    def refuse(_pid: int, _number: int) -> None:
        raise PermissionError

    with monkeypatch.context() as patched:
        patched.setattr(module.os, "kill", refuse)
        assert end_sessions(pid, set(), seconds=0) == {first, apart}


def test_all_below_a_process_are_ended(server: tuple[int, list[int]]) -> None:
    pid, found = server
    end_below(pid)
    last = time.monotonic() + 10
    while alive(found) and time.monotonic() < last:
        time.sleep(0.01)
    assert alive(found) == []


def test_a_server_that_is_gone_has_nothing_to_end() -> None:
    assert end_sessions(999_999_999, set(), seconds=0) == set()
    end_below(999_999_999)


def test_where_orphans_cannot_be_adopted_the_work_is_done_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[object] = []
    monkeypatch.setattr(module.ctypes, "CDLL", lambda _name: object())
    assert not adopt_orphans()
    in_reach(lambda job, connection: done.append((job, connection)), "job", None, None)  # type: ignore[arg-type]
    assert done == [("job", None)]


def test_a_server_that_has_a_session_keeps_it() -> None:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        become_server()
        os.write(writer, str(os.getsid(0)).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    assert int(os.read(reader, 16)) == pid
