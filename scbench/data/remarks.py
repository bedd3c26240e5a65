"""What there is to say of counts that are clustered all the same: empty droplets, copies of labels and of cells."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from scbench.data.identical_cells import n_identical
from scbench.data.label_checks import copies_of_labels
from scbench.data.left_out import UNFILTERED

__all__ = ["remarks"]

_NAME_AT_MOST = 5
_FEW_COUNTS = 10  # of a barcode: what ambient RNA gives a droplet without a cell
_ALL_GENES = 1000  # from here on a file holds no panel of chosen genes, whose cells may have few counts


def remarks(
    matrix: csr_matrix, genes: np.ndarray | None, types: np.ndarray | None, name: str, *, is_counts: bool
) -> list[str]:
    """Return a line each on barcodes that are no cells, on genes that copy the labels, and on identical cells."""
    lines = []
    totals = np.asarray(matrix.sum(axis=1)).ravel()
    n_low = int(((totals > 0) & (totals < _FEW_COUNTS)).sum())
    if is_counts and matrix.shape[1] >= _ALL_GENES and n_low > len(totals) / 2:
        lines.append(f"dataset {name}: {n_low} of {len(totals)} cells have fewer than {_FEW_COUNTS} counts{UNFILTERED}")
    copies = np.empty(0, dtype=np.int64) if types is None else copies_of_labels(matrix, types)
    if len(copies):
        which = ", ".join(str(i if genes is None else genes[i]) for i in copies[:_NAME_AT_MOST])
        lines.append(
            f"dataset {name}: {len(copies)} genes are one to one with the labels ({which}): if they are codes of the "
            "types and no genes, take them out of the file, or every score is too high"
        )
    n_cells, n_profiles = n_identical(matrix)
    if n_cells:
        lines.append(
            f"dataset {name}: {n_cells} of {matrix.shape[0]} cells are identical to another ({n_profiles} profiles); "
            "if they are copies, scores count the same cell several times"
        )
    return lines
