"""The command asks its guard for the server, and ends there what runs have left; never below anything else."""

from __future__ import annotations

import logging
import multiprocessing
from multiprocessing import Pipe
from types import SimpleNamespace
from typing import Any

import pytest

from scbench.run.local import guard as module
from scbench.run.local.guard import Guard, guard_main


@pytest.fixture
def swept(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, set[int]]]:
    """What is swept, and what is spared there; process 5 cannot be ended."""
    swept: list[tuple[int, set[int]]] = []

    def note(server: int, spared: set[int], _seconds: float) -> set[int]:
        swept.append((server, set(spared)))
        return {5} - spared

    monkeypatch.setattr(module, "end_sessions", note)
    monkeypatch.setattr(multiprocessing, "active_children", lambda: [SimpleNamespace(pid=3), SimpleNamespace(pid=None)])
    return swept


def guard(answer: object, *, is_alive: bool = True) -> Guard:
    """A guard whose process has given an answer, or closed its connection."""
    ours, theirs = Pipe()
    if answer != "closed":
        theirs.send(answer)
    theirs.close()
    found: Any = Guard(None)
    found._process = SimpleNamespace(is_alive=lambda: is_alive, kill=list, join=list, close=list)
    found._connection = ours
    return found  # type: ignore[no-any-return]


def test_what_this_process_has_started_is_spared_and_what_cannot_be_ended_is_said_once(
    swept: list[tuple[int, set[int]]], caplog: pytest.LogCaptureFixture
) -> None:
    found = guard(77)
    with caplog.at_level(logging.WARNING):
        found.sweep()
        found.sweep()
    assert swept == [(77, {3}), (77, {3, 5})]
    assert caplog.text.count("processes [5] of a run cannot be ended; end them by hand") == 1


@pytest.mark.parametrize(
    "found",
    [Guard(None), guard(77, is_alive=False), guard(None), guard("closed")],
    ids=["not started", "server gone", "server of somebody else", "killed"],
)
def test_without_a_server_of_its_own_nothing_is_swept(swept: list[tuple[int, set[int]]], found: Guard) -> None:
    found.sweep()
    assert swept == []


def test_one_that_is_closed_can_be_closed_again(swept: list[tuple[int, set[int]]]) -> None:
    found = guard(77)
    found.close()
    found.close()
    found.sweep()
    assert swept == []


@pytest.mark.usefixtures("own_server")
def test_a_guard_below_a_server_that_is_not_scbenchs_says_so() -> None:
    """Somebody else's server may have processes of all kinds."""
    context = multiprocessing.get_context("forkserver")
    multiprocessing.set_forkserver_preload([])
    ours, theirs = context.Pipe()
    process = context.Process(target=guard_main, args=(theirs,), daemon=True)
    process.start()
    assert ours.poll(30)
    assert ours.recv() is None
    process.kill()
    process.join()
