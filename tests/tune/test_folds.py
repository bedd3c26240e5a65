from __future__ import annotations

from scbench.tune.folds import folds


def test_all_together_or_each_left_out_in_turn() -> None:
    assert folds(2, leave_one_out=False) == [([0, 1], [0, 1])]
    assert folds(3, leave_one_out=True) == [([1, 2], [0]), ([0, 2], [1]), ([0, 1], [2])]
