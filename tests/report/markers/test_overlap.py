from __future__ import annotations

import numpy as np
import pytest

from scbench.report.markers.overlap import best_shares, shared_markers


def test_by_hand() -> None:
    shared = shared_markers(np.array([[0, 1, 2], [3, 4, 5]]), np.array([[2, 1, 9], [7, 8, 6]]))
    assert shared.tolist() == [[2, 0], [0, 0]]
    best, share = best_shares(shared, 3)
    assert best.tolist() == [0, -1]  # the second shares nothing with any type
    assert share.tolist() == [2 / 3, 0]


def test_against_sets_and_with_itself() -> None:
    rng = np.random.default_rng(0)
    clusters, types = (np.stack([rng.permutation(60)[:20] for _ in range(n)]) for n in (5, 4))
    slow = [[len(set(one) & set(other)) for other in types.tolist()] for one in clusters.tolist()]
    assert shared_markers(clusters, types).tolist() == slow
    assert shared_markers(types, clusters).tolist() == np.transpose(slow).tolist()
    best, share = best_shares(shared_markers(types, types), 20)
    assert best.tolist() == [0, 1, 2, 3]
    assert (share == 1).all()


def test_equal_shares_go_to_the_larger_type() -> None:
    assert best_shares(np.array([[1, 3, 3]]), 5)[0].tolist() == [1]


def test_different_numbers_of_markers_are_refused() -> None:
    with pytest.raises(ValueError, match="clusters have 2 markers but types 3"):
        shared_markers(np.zeros((1, 2), dtype=int), np.zeros((1, 3), dtype=int))
