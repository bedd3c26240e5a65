from __future__ import annotations

import numpy as np
import pytest

from scbench.method import Clustering
from scbench.result_check import check_clustering

LABELS = np.array([0, 1, 1, 0])


@pytest.mark.parametrize(
    ("clustering", "error", "message"),
    [
        (LABELS, TypeError, "must return a Clustering, got ndarray"),
        (Clustering([0, 1, 1, 0]), TypeError, "labels must be a numpy array, got list"),
        (Clustering(np.full(4, 2**63, dtype=np.uint64)), ValueError, "labels must fit into int64"),
        (Clustering(LABELS, info=None), TypeError, "info must be a mapping, got NoneType"),
        (Clustering(LABELS, embedding=[[0.0]] * 4), TypeError, "embedding must be a numpy array, got list"),
        (Clustering(LABELS.astype(float)), TypeError, "labels must be integers, got dtype float64"),
        (Clustering(LABELS[:3]), ValueError, r"shape \(4,\), one per input cell, got \(3,\)"),
        (Clustering(LABELS - 1), ValueError, "labels must not be negative: 2 of 4 are"),
        (Clustering(LABELS, embedding=np.zeros((3, 2))), ValueError, r"embedding must have shape \(4, d\)"),
        (Clustering(LABELS, embedding=np.full((4, 2), np.nan)), FloatingPointError, "embedding holds 8 values"),
        (Clustering(LABELS, soft=np.ones((4, 2))), ValueError, "rows of soft must sum to 1"),
    ],
)
def test_results_that_break_the_contract_are_refused(clustering: Clustering, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        check_clustering(clustering, 4)


def test_a_good_result_passes() -> None:
    check_clustering(Clustering(LABELS, embedding=np.zeros((4, 2)), soft=np.full((4, 2), 0.5)), 4)
