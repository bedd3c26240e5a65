"""A random part of the cells of a dataset, chosen without looking at labels or counts."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from scbench.data.config import Subsample
from scbench.data.validate import CheckedCounts
from scbench.errors import DataError

__all__ = ["Part", "kept_cells", "subsampled"]

_STREAM = 0x5AB5  # keeps the choice apart from whatever else is drawn with the same seed


@dataclass(frozen=True)
class Part:
    """Which cells of which dataset a subsampled dataset holds.

    Attributes:
        name, n_cells, n_types: of the whole dataset; no types without labels.
        choice: the share of the cells that is kept, and the seed of the choice.
    """

    name: str
    n_cells: int
    n_types: int | None
    choice: Subsample

    def cells(self) -> np.ndarray:
        """Return the rows of the whole dataset that are kept, (n_kept,) int64, ascending."""
        return kept_cells(self.n_cells, self.choice.share, self.choice.seed)

    def as_record(self) -> dict[str, Any]:
        """Return the whole dataset as records name it; share and seed are in their preprocessing."""
        return {name: value for name, value in asdict(self).items() if name != "choice"}


def kept_cells(n_cells: int, share: float, seed: int) -> np.ndarray:
    """Return the cells of a subsample: ``round(share * n_cells)`` of them, drawn uniformly without replacement.

    They follow from these three numbers alone. With one seed, the cells of a smaller share are among those of a larger.

    Args:
        n_cells: of the whole dataset.
        share: in (0, 1].
        seed: at least 0.

    Returns:
        (n_kept,) int64 rows of the whole dataset, ascending; row i of the subsample is row ``kept[i]`` of the whole.
    """
    order = np.random.default_rng([_STREAM, seed]).permutation(n_cells)
    return np.sort(order[: round(share * n_cells)])


def subsampled(whole: CheckedCounts, choice: Subsample, name: str) -> CheckedCounts:
    """Return the cells that are kept, in the order of the whole; all genes stay.

    Raises:
        DataError: when no cell is left, or none of the cells that are left has a count.
    """
    kept = kept_cells(whole.matrix.shape[0], choice.share, choice.seed)
    matrix = whole.matrix[kept]
    if matrix.nnz == 0:
        raise DataError(
            f"dataset {name}: dataset.subsample.share={choice.share:g} leaves {len(kept)} of {whole.matrix.shape[0]} "
            "cells and no count; use a larger share"
        )
    labels, cells = (None if values is None else values[kept] for values in (whole.labels, whole.cells))
    return replace(whole, matrix=matrix, labels=labels, cells=cells)
