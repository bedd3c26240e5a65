"""Which clusters come back when a clustering is repeated."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scbench.metrics.cluster_stability import cluster_stability


def test_a_case_by_hand() -> None:
    labels = np.array([0, 0, 0, 1, 1, 2])
    other = np.array([5, 5, 7, 7, 7, 9])
    # {0,1,2} and {0,1}: 2 of 3; {3,4} and {2,3,4}: 2 of 3; {5} comes back
    assert cluster_stability(labels, [other]).tolist() == [2 / 3, 2 / 3, 1.0]
    assert cluster_stability(labels, [other, labels]).tolist() == pytest.approx([5 / 6, 5 / 6, 1.0])


def slow(labels: np.ndarray, other: np.ndarray) -> list[float]:
    sets = [set(np.flatnonzero(other == name)) for name in set(other.tolist())]
    mine = [set(np.flatnonzero(labels == name)) for name in range(int(labels.max()) + 1)]
    return [max(len(one & each) / len(one | each) for each in sets) for one in mine]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40), st.permutations(range(5)))
def test_sets_say_the_same_and_names_do_not_matter(pairs: list[tuple[int, int]], names: list[int]) -> None:
    labels = np.unique([a for a, _ in pairs], return_inverse=True)[1]
    other = np.array([b for _, b in pairs])
    found = cluster_stability(labels, [other])
    assert found.tolist() == pytest.approx(slow(labels, other))
    assert cluster_stability(labels, [np.array(names)[other]]).tolist() == found.tolist()
    assert ((found > 0) & (found <= 1)).all()


def test_refuses_what_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="the same cells are needed, got 3 and 2 cells"):
        cluster_stability(np.zeros(3, dtype=int), [np.zeros(2, dtype=int)])
    with pytest.raises(ValueError, match="at least one partition"):
        cluster_stability(np.zeros(3, dtype=int), [])
