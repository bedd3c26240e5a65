"""The rule of budget=fast."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scbench.nn.plateau import Plateau


def end(losses: list[float], **settings: float) -> int | None:
    """Return the number of epochs run, or None when the rule never ends the phase."""
    rule = Plateau(**settings)  # type: ignore[arg-type]
    return next((t for t, loss in enumerate(losses, start=1) if rule.update(loss)), None)


def slow(losses: list[float], window: int, least_gain: float) -> int | None:
    """Do the same from the formula, with numpy means."""
    for t in range(2 * window, len(losses) + 1):
        before, last = np.mean(losses[t - 2 * window : t - window]), np.mean(losses[t - window : t])
        if before - last <= least_gain * max(losses[0] - last, 0):
            return t
    return None


def test_ends_an_exponential_where_the_formula_says() -> None:
    losses = [math.exp(-t / 20) for t in range(400)]
    found = end(losses, window=10, least_gain=0.01)
    # the gain of a window is 0.65 of the mean before it, so that mean is about 0.0154 of the whole fall
    assert found == slow(losses, 10, 0.01)
    assert found is not None
    assert 85 < found < 110


def test_never_ends_a_steady_fall() -> None:
    assert end([-float(t) for t in range(500)], window=10, least_gain=0.01) is None


def test_a_loss_that_never_falls_is_on_a_plateau_after_two_windows() -> None:
    assert end([1.0] * 50, window=7, least_gain=0.0) == 14
    assert end([float(t) for t in range(50)], window=7, least_gain=0.01) == 14


@given(
    st.lists(st.integers(-1000, 1000), min_size=1, max_size=60),
    st.integers(1, 6),
    st.sampled_from([0.0, 0.01, 0.25]),
    st.sampled_from([1 / 4, 1.0, 8.0]),
    st.integers(-64, 64),
)
def test_scale_and_constant_do_not_matter(
    losses: list[int], window: int, least_gain: float, scale: float, shift: int
) -> None:
    expected = slow([float(loss) for loss in losses], window, least_gain)
    changed = end([scale * loss + shift for loss in losses], window=window, least_gain=least_gain)
    if expected != changed:  # a tie, which rounding may turn
        first = min(t for t in (expected, changed) if t is not None)
        before = np.mean(losses[first - 2 * window : first - window])
        last = np.mean(losses[first - window : first])
        assert before - last == pytest.approx(least_gain * max(losses[0] - last, 0), abs=1e-9)


@pytest.mark.parametrize("wrong", [{"window": 0}, {"least_gain": -0.1}, {"least_gain": 1.1}])
def test_refuses_what_is_out_of_range(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Plateau(**wrong)  # type: ignore[arg-type]
