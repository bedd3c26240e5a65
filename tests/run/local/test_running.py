"""A run that is to end is asked once, and killed only after its time of grace."""

from __future__ import annotations

import signal
from multiprocessing import Pipe
from types import SimpleNamespace
from typing import Any, cast

import pytest

from scbench.run.local import running as module
from scbench.run.local.devices import Device
from scbench.run.local.running import Running


class Clock:
    """A monotonic clock that tests set."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[signal.Signals]:
    sent: list[signal.Signals] = []
    monkeypatch.setattr(module, "signal_group", lambda _process, number: sent.append(number))
    return sent


def a_run() -> Running:
    unused = cast(Any, None)
    return Running(unused, cast(Device, None), unused, Pipe()[0], 0.0)


def test_without_a_reason_nothing_is_sent(clock: Clock, sent: list[signal.Signals]) -> None:
    run = a_run()
    run.stop(None)
    assert not run.is_ending
    assert sent == []


def test_it_is_asked_then_killed_after_the_grace(clock: Clock, sent: list[signal.Signals]) -> None:
    run = a_run()
    run.stop(("timeout", "too long"))
    assert run.is_ending
    clock.now += 5
    run.kill_when_overdue(5)
    assert sent == [signal.SIGTERM]
    clock.now += 0.1
    run.kill_when_overdue(5)
    assert sent == [signal.SIGTERM, signal.SIGKILL]


def test_the_grace_of_a_run_with_a_record_starts_when_it_is_first_seen(
    clock: Clock, sent: list[signal.Signals]
) -> None:
    run = a_run()
    run.record = {"status": "ok"}
    assert run.is_ending
    run.kill_when_overdue(5)
    clock.now += 4
    run.kill_when_overdue(5)
    assert sent == []
    clock.now += 2
    run.kill_when_overdue(5)
    assert sent == [signal.SIGKILL]


@pytest.mark.parametrize(("exitcode", "below"), [(0, []), (255, [7])])
def test_what_is_left_is_cleared(
    monkeypatch: pytest.MonkeyPatch, sent: list[signal.Signals], exitcode: int, below: list[int]
) -> None:
    """A run that only seems to have ended, for the server that it was forked from is gone, may have others below it."""
    ended: list[int] = []
    monkeypatch.setattr(module, "end_below", ended.append)
    run = a_run()
    run.process = cast(Any, SimpleNamespace(exitcode=exitcode, pid=7))
    run.clear()
    assert run.connection.closed
    assert ended == below
    assert sent == [signal.SIGKILL]
