"""What a reader returns: counts with the labels beside them. Only the loader and the scorer see this type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_matrix

__all__ = ["LabelledCounts"]


@dataclass(frozen=True)
class LabelledCounts:
    """A file's content.

    Attributes:
        matrix: (n_cells, n_genes) CSR float32, values as stored in the file (no rounding, no logarithm).
        labels: (n_cells,) object array of str, None for a cell without one. None when no labels were asked for.
        genes: (n_genes,) object array of str, or None when the file has no names.
        cells: (n_cells,) object array of str, or None.
        warnings: what the user should know of the reading, one line each (columns left out, for example).
        also_named: further columns of the file that may name the cells, (n_cells,) str each: labels of a second file
            are looked for under these where ``cells`` are none, or only numbers.
        labels_from: name of the column or element that the labels were read from; None without labels.
    """

    matrix: csr_matrix
    labels: np.ndarray | None
    genes: np.ndarray | None = None
    cells: np.ndarray | None = None
    warnings: tuple[str, ...] = ()
    labels_from: str | None = None
    also_named: Mapping[str, np.ndarray] = field(default_factory=dict)
