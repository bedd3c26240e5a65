"""A run is stopped for memory only when it is too large with shared memory counted once, and looking is cheap."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest

from scbench.config.schema import LocalEngine
from scbench.run.local import limits as module
from scbench.run.local.limits import Limits

GIB = 2**30


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Clocks that stand still until a test sets them."""
    clock = SimpleNamespace(now=100.0, used=0.0)
    clock.monotonic = lambda: clock.now
    clock.thread_time = lambda: clock.used
    monkeypatch.setattr(module, "time", clock)
    return clock


def limits(memory_gb: float | None = 2, **more: float) -> Limits:
    return Limits(dataclasses.replace(LocalEngine(), memory_gb=memory_gb, **more))


def sizes(monkeypatch: pytest.MonkeyPatch, resident: float, proportional: float) -> list[str]:
    """Give all runs these sizes in GiB; return what is asked for."""
    asked: list[str] = []
    monkeypatch.setattr(module, "descendants", lambda _pid: [1, 2])
    monkeypatch.setattr(module, "resident_bytes", lambda _pids: (asked.append("resident"), int(resident * GIB))[1])
    monkeypatch.setattr(
        module, "proportional_bytes", lambda _pids: (asked.append("proportional"), int(proportional * GIB))[1]
    )
    return asked


def test_helpers_that_share_an_array_are_not_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes(monkeypatch, resident=3.45, proportional=0.8)
    assert limits().over_memory(1) is None


def test_what_is_too_large_is_said_as_it_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes(monkeypatch, resident=9, proportional=2.5)
    assert limits().over_memory(1) == ("oom", "2.50 GiB resident, over engine.memory_gb=2")


def test_the_slow_count_is_left_out_when_the_quick_one_is_below_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = sizes(monkeypatch, resident=1.9, proportional=1)
    assert limits().over_memory(1) is None
    assert asked == ["resident"]


def test_without_a_limit_or_a_process_nothing_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = sizes(monkeypatch, resident=9, proportional=9)
    assert limits(None).over_memory(1) is None
    assert limits().over_memory(None) is None
    assert asked == []


def test_memory_is_looked_at_twice_a_second_and_less_often_when_that_is_slow(
    clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = limits()
    assert checked.memory_is_due()
    clock.now += 0.4
    assert not checked.memory_is_due()
    clock.now += 0.2
    assert checked.memory_is_due()

    def slow(_pids: object) -> int:
        clock.used += 0.04
        return 3 * GIB

    sizes(monkeypatch, resident=3, proportional=1)
    monkeypatch.setattr(module, "resident_bytes", slow)
    assert checked.over_memory(1) is None
    clock.now += 1.9
    assert not checked.memory_is_due(), "50 times as long as it has taken"
    clock.now += 0.2
    assert checked.memory_is_due()


def test_without_a_limit_memory_is_never_due(clock: SimpleNamespace) -> None:
    assert not limits(None).memory_is_due()


def test_a_run_that_has_taken_too_long_is_told_so(clock: SimpleNamespace) -> None:
    checked = limits(timeout_min=2)
    assert checked.over_time(started=-20.0) is None
    assert checked.over_time(started=-21.0) == ("timeout", "not finished after engine.timeout_min=2 minutes")
