from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scbench.stats.ranks import complete_blocks, mean_ranks, paired_differences, rank_rows, wins_ties_losses

HAND = pd.DataFrame({"a": [0.9, 0.5, np.nan], "b": [0.8, 0.5, 0.2], "c": [0.7, 0.6, np.nan]}, index=["x", "y", "z"])


def test_a_hand_case_with_ties_and_failures() -> None:
    assert rank_rows(HAND.to_numpy()).tolist() == [[1, 2, 3], [2.5, 2.5, 1], [2.5, 1, 2.5]]
    assert mean_ranks(HAND).round(4).to_dict() == {"b": round(5.5 / 3, 4), "a": 2.0, "c": round(6.5 / 3, 4)}
    assert complete_blocks(HAND).index.tolist() == ["x", "y"]


def slow_ranks(row: np.ndarray) -> list[float]:
    worth = [-np.inf if np.isnan(value) else value for value in row]
    return [1 + sum(o > w for o in worth) + (sum(o == w for o in worth) - 1) / 2 for w in worth]


@given(arrays(float, (4, 5), elements=st.sampled_from([0.1, 0.2, 0.3, np.nan])))
def test_ranks_equal_a_slow_count_and_sum_to_the_triangle(values: np.ndarray) -> None:
    ranks = rank_rows(values)
    assert ranks.tolist() == [slow_ranks(row) for row in values]
    np.testing.assert_allclose(ranks.sum(axis=1), 15)


def test_means_of_equal_numbers_tie_however_many_they_are() -> None:
    value = 37 / 45
    means = [sum([value] * n) / n for n in (1, 3, 7)]
    assert len(set(means)) > 1
    np.testing.assert_array_equal(rank_rows(np.array([means])), [[2.0, 2.0, 2.0]])
    scores = pd.DataFrame([means], columns=list("abc"))
    assert paired_differences(scores, "a", "b").tolist() == [0.0]
    assert wins_ties_losses(scores)["ties"].tolist() == [1] * 6


def test_wins_ties_and_losses() -> None:
    table = wins_ties_losses(HAND).set_index(["method", "other"])
    assert table.loc[("a", "b")].tolist() == [1, 1, 1]
    assert table.loc[("a", "c")].tolist() == [1, 1, 1]  # two failures tie
    assert table.loc[("b", "a")].tolist() == [1, 1, 1]
    assert wins_ties_losses(HAND, tie=0.15).set_index(["method", "other"]).loc[("a", "b")].tolist() == [0, 2, 1]


def test_a_failure_is_the_largest_difference() -> None:
    difference = paired_differences(HAND, "a", "b")
    assert difference[:2] == pytest.approx([0.1, 0.0])
    assert difference[2] < -(HAND.max().max() - HAND.min().min())
    assert paired_differences(HAND, "a", "c")[2] == 0


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (HAND[["a"]], "at least two methods, got 1"),
        (HAND.iloc[:0], "at least one dataset, got none"),
        (HAND.set_axis(["x", "x", "z"]), "names must be unique, but x comes more than once"),
    ],
)
def test_tables_that_cannot_be_ranked(scores: pd.DataFrame, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mean_ranks(scores)


def test_a_negative_tie_is_refused() -> None:
    with pytest.raises(ValueError, match="tie must not be negative, got -1"):
        wins_ties_losses(HAND, tie=-1)
