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


def test_partitions_of_different_cells_are_compared_where_both_have_cells() -> None:
    first, second = np.array([0, 0, 1, 1]), np.array([5, 5, 3, 9])
    assert stability([first, second], [np.array([0, 1, 2, 3]), np.array([3, 2, 1, 7])]) == pytest.approx(1)


def test_on_parts_it_is_the_mean_over_pairs() -> None:
    rng = np.random.default_rng(1)
    whole = [rng.integers(0, 3, 50) for _ in range(4)]
    cells = [rng.permutation(50)[:30] for _ in range(4)]
    expected = []
    for (a, of_a), (b, of_b) in combinations(zip(whole, cells, strict=True), 2):
        shared = sorted(set(of_a) & set(of_b))
        expected.append(adjusted_rand_score(a[shared], b[shared]))
    found = stability([labels[kept] for labels, kept in zip(whole, cells, strict=True)], cells)
    assert found == pytest.approx(np.mean(expected))


def test_naming_the_cells_changes_nothing_when_they_are_the_same() -> None:
    rng = np.random.default_rng(2)
    partitions = [rng.integers(0, 3, 40) for _ in range(3)]
    assert stability(partitions, [np.arange(40)] * 3) == pytest.approx(stability(partitions))


def test_parts_that_share_nothing_or_are_not_named_are_refused() -> None:
    labels = np.array([0, 1])
    with pytest.raises(ValueError, match="no cell in common"):
        stability([labels, labels], [np.array([0, 1]), np.array([2, 3])])
    with pytest.raises(ValueError, match="got 2 labels and 1 names"):
        stability([labels, labels], [np.array([0, 1]), np.array([0])])
