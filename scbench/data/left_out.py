"""Cells and genes that are left out first: without a label, without a count, spike-ins, reads of no gene."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from scbench.data.config import DatasetConfig
from scbench.data.spike_ins import is_rest, is_spike_in
from scbench.errors import DataError

__all__ = ["UNFILTERED", "kept_cells", "without_rest", "without_spike_ins"]

_NAME_AT_MOST = 5
UNFILTERED = (
    "; this looks like an unfiltered matrix (raw_feature_bc_matrix): take filtered_feature_bc_matrix, or filter its "
    "barcodes first"
)


def kept_cells(matrix: csr_matrix, labels: np.ndarray | None, config: DatasetConfig) -> tuple[np.ndarray, list[str]]:
    """Return which cells are kept, (n_cells,) bool, and what is said of the others.

    Raises:
        DataError: as many labels as there are not cells, or cells without a label that are not to be left out.
    """
    name, n_cells = config.name, matrix.shape[0]
    kept = np.ones(n_cells, dtype=bool)
    lines = []
    if labels is not None:
        if len(labels) != n_cells:
            raise DataError(
                f"dataset {name} has {n_cells} cells but {len(labels)} labels; one label per cell is needed"
            )
        kept = np.array([label is not None for label in labels])
        if not kept.all():
            _refuse_unlabelled(kept, config)
            lines.append(f"dataset {name}: {(~kept).sum()} cells without a label were left out")
    is_empty = kept & (np.diff(matrix.indptr) == 0)
    n_empty, n_left = int(is_empty.sum()), int(kept.sum())
    if not n_empty:
        return kept, lines
    if config.empty_cells == "drop":
        if n_empty == n_left:
            raise DataError(f"dataset {name}: none of the {n_left} cells that are left has a count; check the file")
        return kept & ~is_empty, [*lines, f"dataset {name}: {n_empty} of {n_left} cells without a count were left out"]
    return kept, [
        *lines,
        f"dataset {name}: {n_empty} of {n_left} cells have no count and are clustered with the others; "
        f"dataset.empty_cells=drop leaves them out{UNFILTERED if n_empty > n_left / 2 else ''}",
    ]


def without_rest(
    matrix: csr_matrix, genes: np.ndarray | None, name: str
) -> tuple[csr_matrix, np.ndarray | None, list[str]]:
    """Return counts and genes without the rows of reads that no gene was found for."""
    is_no_gene = is_rest(genes, matrix.shape[1])
    if genes is None or not is_no_gene.any():
        return matrix, genes, []
    found = ", ".join(map(str, genes[is_no_gene][:_NAME_AT_MOST]))
    line = f"dataset {name}: {is_no_gene.sum()} rows of reads without a gene were left out ({found})"
    return csr_matrix(matrix[:, np.flatnonzero(~is_no_gene)]), genes[~is_no_gene], [line]


def without_spike_ins(
    matrix: csr_matrix, genes: np.ndarray | None, config: DatasetConfig
) -> tuple[csr_matrix, np.ndarray | None, list[str]]:
    """Return counts and genes with or without the spike-ins, and how many there are.

    Raises:
        DataError: when nothing but spike-ins is there.
    """
    is_spike = is_spike_in(genes, matrix.shape[1])
    n_spikes = int(is_spike.sum())
    if genes is None or not n_spikes:
        return matrix, genes, []
    share = float(matrix.data[is_spike[matrix.indices]].sum(dtype=np.float64) / matrix.data.sum(dtype=np.float64))
    found = (
        f"dataset {config.name}: {n_spikes} of {len(genes)} genes are spike-ins (such as {genes[is_spike][0]}) with "
        f"{share:.1%} of the {'counts' if config.values == 'counts' else 'values'}"
    )
    if config.spike_ins == "keep":
        return matrix, genes, [f"{found}; dataset.spike_ins=drop leaves them out"]
    if n_spikes == len(genes) or share == 1:
        raise DataError(f"{found}, so dataset.spike_ins=drop leaves nothing to cluster")
    return csr_matrix(matrix[:, np.flatnonzero(~is_spike)]), genes[~is_spike], [f"{found} and were left out"]


def _refuse_unlabelled(has_label: np.ndarray, config: DatasetConfig) -> None:
    """Refuse cells without a label unless they are to be dropped, and a dataset of nothing else."""
    missing = int((~has_label).sum())
    if config.unlabelled == "error":
        raise DataError(
            f"dataset {config.name}: {missing} of {len(has_label)} cells have no label. "
            "Pass dataset.unlabelled=drop to leave them out, or dataset.label=none to run without labels"
        )
    if missing == len(has_label):
        raise DataError(
            f"dataset {config.name}: no cell has a label; pass dataset.label=<another column> or dataset.label=none"
        )
