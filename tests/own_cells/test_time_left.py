from __future__ import annotations

import warnings

import numpy as np
import pytest

import scbench
from scbench.own_cells.time_left import TimeLeft, n_epochs_of, pilot_seconds
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


@pytest.mark.parametrize(("exponent", "expected"), [(0.5, 80.0), (1.0, 80.0), (1.5, 253.0), (2.0, 800.0), (3.0, 800.0)])
def test_pilots_give_a_power_law_between_linear_and_all_pairs(exponent: float, expected: float) -> None:
    clock = Clock()
    asked = []

    def fit(n_cells: int) -> None:
        asked.append(n_cells)
        clock.now += 8 * (n_cells / 8000) ** exponent

    assert pilot_seconds(fit, 80_000, clock) == pytest.approx(expected, rel=0.01)
    assert asked == [2000, 2000, 8000]


def test_a_large_call_without_epochs_is_warned_of_before_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scbench.own_cells.cluster.PILOT_ABOVE", 50)
    monkeypatch.setattr("scbench.own_cells.cluster.pilot_seconds", lambda fit, n_cells: (fit(30), 100.0 + n_cells)[1])
    points = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    for more in ({}, {"use_rep": points}):
        with pytest.warns(UserWarning, match=r"about 5 min 20 s \(by fits to 2 000 and 8 000 of the cells; it may"):
            scbench.cluster(toy_counts(60, 80).matrix, "leiden", 3, n_seeds=2, **more)
