"""Ratios, growth and verdicts of the comparison, by hand-made cases, numpy and properties."""

from __future__ import annotations

import numpy as np
import pytest
from comparison.figures import Target, exponent, has_drifted, ratio, slope


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [(1.0, 4.0, 0.25), (0.0, 4.0, 0.0), (1.0, 0.0, None), (None, 4.0, None), (1.0, None, None)],
)
def test_ratio_is_new_over_old(new: float | None, old: float | None, expected: float | None) -> None:
    assert ratio(new, old) == expected


def test_exponent_of_a_power_is_its_exponent() -> None:
    assert exponent([5_000, 10_000, 20_000], [2.0, 2.0 * 2**1.5, 2.0 * 4**1.5]) == pytest.approx(1.5)
    assert exponent([10, 1000], [3.0, 3.0]) == pytest.approx(0.0)


def test_exponent_is_the_least_squares_line_of_the_logarithms() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        n, seconds = np.sort(rng.choice(10_000, 4, replace=False) + 1), rng.uniform(0.1, 9.0, 4)
        by_numpy = np.polyfit(np.log(n), np.log(seconds), 1)[0]
        assert exponent([int(each) for each in n], list(seconds)) == pytest.approx(by_numpy)
        assert exponent([int(each) for each in n], list(60 * seconds)) == pytest.approx(by_numpy), "units do not matter"


def test_slope_ignores_what_does_not_grow() -> None:
    assert slope([1, 2, 4], [11.0, 12.0, 14.0]) == pytest.approx(1.0)
    assert slope([1, 2, 4], [511.0, 512.0, 514.0]) == pytest.approx(1.0)


def test_growth_is_of_two_sizes() -> None:
    with pytest.raises(ValueError, match="a slope is of two sizes or more"):
        slope([5, 5], [1.0, 2.0])
    with pytest.raises(ValueError, match="an exponent is of values above 0"):
        exponent([5, 6], [0.0, 2.0])


@pytest.mark.parametrize(
    ("target", "old", "new", "verdict"),
    [
        (Target(0.5), 10.0, 5.0, "yes"),
        (Target(0.5), 10.0, 5.1, "no"),
        (Target(0.5), None, 5.0, "-"),
        (Target(25, "new"), 58.0, 25.0, "yes"),
        (Target(25, "new"), 20.0, 26.0, "no"),
        (Target(25, "new"), None, 26.0, "no"),
        (Target(25, "new"), 58.0, None, "-"),
    ],
)
def test_verdicts(target: Target, old: float | None, new: float | None, verdict: str) -> None:
    assert target.verdict(old, new) == verdict


def test_a_target_says_what_it_is_of() -> None:
    assert (str(Target(0.62)), str(Target(25, "new"))) == ("<= 0.62 x", "<= 25")


@pytest.mark.parametrize(
    ("before", "after", "drifted"), [(100, 95, False), (100, 89, True), (89, 100, True), (100, 100, False)]
)
def test_drift_is_a_tenth(before: float, after: float, drifted: bool) -> None:
    assert has_drifted(before, after) is drifted
