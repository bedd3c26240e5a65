"""Damage to counts on purpose: entries lost at random."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_matrix

from scbench.data.config import Corruption
from scbench.data.labelled import LabelledCounts

__all__ = ["corrupted"]


def corrupted(content: LabelledCounts, damage: Corruption) -> LabelledCounts:
    """Return the content with ``round(dropout * n)`` of its n non-zero entries set to 0, chosen uniformly.

    The choice depends on the seed and on the order of the entries in the file, not on labels or values. A cell may lose
    all of its counts; it stays, and is counted in every score.

    Source: the robustness study of scSAMAC (dropout rates of 0 to 25 %).
    """
    matrix = csr_matrix(content.matrix, copy=True)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    rng = np.random.default_rng(damage.seed)
    lost = rng.choice(matrix.nnz, size=round(damage.dropout * matrix.nnz), replace=False)
    matrix.data[lost] = 0
    matrix.eliminate_zeros()
    return replace(content, matrix=matrix)
