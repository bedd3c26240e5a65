from __future__ import annotations

import warnings

import pytest

import scbench
from scbench.own_cells.time_left import TimeLeft, n_epochs_of
from scbench.plugins import find
from scbench.testing import toy_counts


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def watch(n_epochs: int, n_seeds: int) -> tuple[TimeLeft, Clock, list[tuple[float, str]]]:
    clock, shown = Clock(), []
    return TimeLeft(n_epochs, n_seeds, lambda *one: shown.append(one), clock), clock, shown


def test_a_long_call_is_warned_of_once_by_its_first_epochs() -> None:
    time_left, clock, shown = watch(100, 1)
    for epoch in range(2):
        clock.now += 4
        time_left.epoch(epoch, {})
    assert shown == []
    clock.now += 4
    with pytest.warns(UserWarning, match=r"this will take about 6 min 40 s \(by its first 12 s"):
        time_left.epoch(2, {})
    assert shown == [(0.03, "about 6 min 28 s left")]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clock.now += 4
        time_left.epoch(3, {})


def test_a_short_call_is_not_warned_of() -> None:
    time_left, clock, shown = watch(100, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for epoch in range(100):
            clock.now += 2.9
            time_left.epoch(epoch, {})
        time_left.run_ended()
    assert shown[-1][0] <= 1


def test_seeds_count_and_a_method_without_epochs_is_measured_by_its_first_seed() -> None:
    time_left, clock, shown = watch(0, 10)
    clock.now = 20
    time_left.run_ended()
    assert shown == [(0.1, "seed 2 of 10, about 3 min 00 s left")]
    time_left, clock, shown = watch(10, 4)
    clock.now = 30
    time_left.epoch(0, {})
    time_left.epoch(1, {})
    with pytest.warns(UserWarning, match="about 6 min 40 s"):
        time_left.epoch(2, {})
    assert shown == [(pytest.approx(3 / 40), "seed 1 of 4, about 6 min 10 s left")]


def test_more_epochs_than_were_announced_are_no_harm() -> None:
    time_left, clock, shown = watch(4, 1)
    clock.now = 8
    for epoch in range(9):
        time_left.epoch(epoch, {})
    assert max(share for share, _ in shown) < 1


@pytest.mark.parametrize(
    ("method", "n_epochs"), [("leiden", 0), ("cicl", 1000), ("sccagn", 80), ("scsamac", 600), ("scsiameseclu", 400)]
)
def test_the_epochs_of_all_phases_count(method: str, n_epochs: int) -> None:
    assert n_epochs_of(find(method).config_class()(name=method)) == n_epochs


def test_where_the_counts_are_from_is_said_unless_nobody_wants_to_know(capsys: pytest.CaptureFixture[str]) -> None:
    counts = toy_counts(60, 80).matrix
    scbench.cluster(counts, "random", 3)
    assert capsys.readouterr().err == "random: counts from the matrix, 60 cells\n"
    scbench.cluster(counts, "random", 3, progress=False)
    assert capsys.readouterr() == ("", "")
