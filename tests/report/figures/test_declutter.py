from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from scbench.report.figures.declutter import spread_boxes, spread_line

POSITIONS = st.lists(st.floats(0, 1), min_size=1, max_size=20)


@given(POSITIONS)
def test_labels_on_a_line_keep_their_order_gap_and_ends(positions: list[float]) -> None:
    wanted = np.array(positions)
    placed = spread_line(wanted, 0.04, 0.0, 1.0)
    order = np.argsort(wanted, kind="stable")
    assert (np.diff(placed[order]) >= 0.04 - 1e-9).all()
    assert placed.min() >= -1e-9
    assert placed.max() <= 1 + 1e-9


def test_positions_are_those_of_least_squares() -> None:
    wanted, gap = np.array([0.30, 0.31, 0.33, 0.80]), 0.1
    steps = [{"type": "ineq", "fun": lambda x, i=i: x[i + 1] - x[i] - gap} for i in range(3)]
    best = minimize(lambda x: ((x - wanted) ** 2).sum(), np.linspace(0, 1, 4), constraints=steps)
    np.testing.assert_allclose(spread_line(wanted, gap, 0, 1), best.x, atol=1e-5)


def test_labels_with_room_stay_and_too_many_share_the_line() -> None:
    np.testing.assert_allclose(spread_line(np.array([0.1, 0.9]), 0.2, 0, 1), [0.1, 0.9])
    np.testing.assert_allclose(spread_line(np.zeros(11), 0.5, 0, 1), np.linspace(0, 1, 11))
    assert spread_line(np.empty(0), 0.1, 0, 1).size == 0


def test_boxes_part_even_from_one_point() -> None:
    sizes = np.tile([0.06, 0.05], (39, 1))
    for centres in (np.zeros((39, 2)), np.random.default_rng(0).random((39, 2)) * 0.3):
        placed = spread_boxes(centres, sizes)
        delta = np.abs(placed[:, None] - placed)
        covered = (delta < 0.999 * sizes).all(axis=2) & ~np.eye(39, dtype=bool)
        assert not covered.any()
    apart = np.array([[0.0, 0.0], [1.0, 1.0]])
    np.testing.assert_allclose(spread_boxes(apart, sizes[:2]), apart, atol=1e-5)
