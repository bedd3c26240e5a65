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


def slow(losses: list[float], window: int, least_share: float) -> int | None:
    """Do the same from the formula, looking at all epochs at once."""
    little = []
    for t in range(1, len(losses) + 1):
        if t < 3 * window:
            little.append(False)
            continue
        start, before, last = (np.mean(losses[s - window : s]) for s in (2 * window, t - window, t))
        little.append(bool(before - last <= least_share * max(start - last, 0)))
    ends = [t for t in range(window, len(losses) + 1) if all(little[t - window : t])]
    return ends[0] if ends else None


def test_ends_an_exponential_where_the_formula_says() -> None:
    losses = [math.exp(-t / 20) for t in range(400)]
    # m(t) = c exp(-t / 20), so (exp(1/4) - 1) x = 0.15 (exp(-1/2) - x) with x = exp(-t / 20): t = 31.2; then five in a row
    assert end(losses, window=5, least_share=0.15) == slow(losses, 5, 0.15) == 32 + 4


def test_a_line_ends_where_a_window_is_the_share_of_the_way() -> None:
    # w / (t - 2 w) = share, so t = 12 w for a tenth, and w epochs in a row
    assert end([-float(t) for t in range(500)], window=4, least_share=0.125) == 4 * (2 + 8) + 3
    assert end([-float(t) for t in range(500)], window=4, least_share=0.0) is None


def test_what_is_learnt_in_the_first_window_does_not_count() -> None:
    slow_fall = [1 - 1e-3 * t for t in range(60)]
    assert end([100.0, 50.0, *slow_fall[2:]]) == end(slow_fall)


def test_a_bump_does_not_end_a_phase() -> None:
    losses = [math.exp(-t / 60) for t in range(40)]
    bumped = [loss + (0.3 if t == 17 else 0.0) for t, loss in enumerate(losses)]
    assert end(losses) is None
    assert end(bumped) is None


def test_a_loss_that_never_falls_is_on_a_plateau() -> None:
    assert end([1.0] * 50, window=7, least_share=0.0) == 3 * 7 + 6
    assert end([float(t) for t in range(50)], window=7, least_share=0.01) == 3 * 7 + 6


@given(
    st.lists(st.integers(-1000, 1000), min_size=1, max_size=60),
    st.sampled_from([1, 2, 4]),
    st.sampled_from([0.0, 0.125, 0.5]),
    st.sampled_from([1 / 4, 1.0, 8.0]),
    st.integers(-64, 64),
)
def test_scale_and_constant_do_not_matter(
    losses: list[int], window: int, least_share: float, scale: float, shift: int
) -> None:
    """All numbers are whole multiples of small powers of two, so nothing is rounded."""
    expected = slow([float(loss) for loss in losses], window, least_share)
    assert end([scale * loss + shift for loss in losses], window=window, least_share=least_share) == expected


@pytest.mark.parametrize("wrong", [{"window": 0}, {"least_share": -0.1}, {"least_share": 1.1}])
def test_refuses_what_is_out_of_range(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Plateau(**wrong)  # type: ignore[arg-type]
