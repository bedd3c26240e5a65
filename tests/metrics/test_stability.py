"""Stability: hand-made cases, an independent version, limits."""

from itertools import combinations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from scbench.metrics.stability import stability


def test_renamed_partitions_agree() -> None:
    labels = np.array([0, 0, 1, 1, 2])
    assert stability([labels, 2 - labels, labels + 5]) == pytest.approx(1)


def test_it_is_the_mean_over_pairs() -> None:
    rng = np.random.default_rng(0)
    partitions = [rng.integers(0, 3, 40) for _ in range(4)]
    expected = np.mean([adjusted_rand_score(a, b) for a, b in combinations(partitions, 2)])
    assert stability(partitions) == pytest.approx(expected)


def test_a_collapse_is_not_stable() -> None:
    one = np.zeros(6, dtype=int)
    assert stability([one, one, one]) == 0


def test_one_partition_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="at least two, got 1"):
        stability([np.zeros(3, dtype=int)])


def test_partitions_must_be_of_the_same_cells() -> None:
    with pytest.raises(ValueError, match="same cells, got 3 and 4"):
        stability([np.zeros(3, dtype=int), np.zeros(4, dtype=int)])
