"""Check what a reader returned before any method sees it, and turn it into counts and labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from scbench.data.config import DatasetConfig
from scbench.data.identical_cells import n_identical
from scbench.data.label_checks import check_types, copies_of_labels
from scbench.data.labelled import LabelledCounts
from scbench.data.spike_ins import is_rest, is_spike_in
from scbench.errors import DataError

__all__ = ["CheckedCounts", "check_content", "mismatches"]

_NAME_AT_MOST = 5
_FEW_COUNTS = 10  # of a barcode: what ambient RNA gives a droplet without a cell
_ALL_GENES = 1000  # from here on a file holds no panel of chosen genes, whose cells may have few counts
_UNFILTERED = (
    "; this looks like an unfiltered matrix (raw_feature_bc_matrix): take filtered_feature_bc_matrix, or filter its "
    "barcodes first"
)
_HOW_TO_PASS = (
    "Log-normalised values are passed with dataset.values=log_normalised, RPKM or TPM with dataset.values=linear, "
    "and corrected counts with dataset.rounding=round"
)


@dataclass(frozen=True)
class CheckedCounts:
    """Content that methods can work on.

    Attributes:
        matrix: (n_cells, n_genes) float32 CSR, canonical (sorted, no stored zeros, no duplicates).
        labels: (n_cells,) array of str without missing values, or None.
        genes: (n_genes,) names, or None.
        is_counts: whether the matrix holds whole-number counts.
        warnings: what was changed on the way, one line each.
        labels_from: where the labels are from, for messages; None without labels.
    """

    matrix: csr_matrix
    labels: np.ndarray | None
    genes: np.ndarray | None
    is_counts: bool
    warnings: tuple[str, ...]
    labels_from: str | None = None


def check_content(content: LabelledCounts, config: DatasetConfig) -> CheckedCounts:
    """Return the content in canonical form.

    Raises:
        DataError: no cells or genes, all zero, NaN or infinite or negative values, counts that are not whole
            numbers, cells without a label, as many labels as there are not cells, or one label per cell.
    """
    matrix = csr_matrix(content.matrix, dtype=np.float32, copy=True)
    matrix.sum_duplicates()
    name = config.name
    if 0 in matrix.shape:
        raise DataError(
            f"dataset {name} has {matrix.shape[0]} cells and {matrix.shape[1]} genes; there is nothing to cluster"
        )
    try:
        _refuse_bad_values(matrix, name)
        matrix = _as_values(matrix, config)
    except DataError as error:  # the reader may know of a better matrix in the file
        raise DataError(". ".join([str(error), *content.warnings])) from error
    matrix.eliminate_zeros()
    if matrix.nnz == 0:
        raise DataError(f"dataset {name}: all {matrix.shape[0]} x {matrix.shape[1]} values are zero; check the file")
    # A remark on another matrix in the file matters only to who wants counts.
    warnings = [line for line in content.warnings if config.values == "counts" or "dataset.matrix" not in line]
    kept, said = _kept_cells(matrix, content.labels, config)
    labels = content.labels
    if not kept.all():
        matrix, labels = csr_matrix(matrix[kept]), None if labels is None else labels[kept]
    types = None if labels is None else labels.astype(str)
    warnings += said
    if types is not None:
        warnings += check_types(types, name)
    matrix, genes, rest = _without_rest(matrix, content.genes, name)
    matrix, genes, said = _without_spike_ins(matrix, genes, config)
    warnings += [*rest, *said, *_remarks(matrix, genes, types, name, is_counts=config.values == "counts")]
    return CheckedCounts(
        matrix=matrix,
        labels=types,
        genes=genes,
        is_counts=config.values == "counts",
        warnings=tuple(warnings),
        labels_from=None if types is None else content.labels_from,
    )


def _kept_cells(matrix: csr_matrix, labels: np.ndarray | None, config: DatasetConfig) -> tuple[np.ndarray, list[str]]:
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
        f"dataset.empty_cells=drop leaves them out{_UNFILTERED if n_empty > n_left / 2 else ''}",
    ]


def _without_rest(
    matrix: csr_matrix, genes: np.ndarray | None, name: str
) -> tuple[csr_matrix, np.ndarray | None, list[str]]:
    """Return counts and genes without the rows of reads that no gene was found for."""
    is_no_gene = is_rest(genes, matrix.shape[1])
    if genes is None or not is_no_gene.any():
        return matrix, genes, []
    found = ", ".join(map(str, genes[is_no_gene][:_NAME_AT_MOST]))
    line = f"dataset {name}: {is_no_gene.sum()} rows of reads without a gene were left out ({found})"
    return csr_matrix(matrix[:, np.flatnonzero(~is_no_gene)]), genes[~is_no_gene], [line]


def _without_spike_ins(
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


def _remarks(
    matrix: csr_matrix, genes: np.ndarray | None, types: np.ndarray | None, name: str, *, is_counts: bool
) -> list[str]:
    """Return a line each on barcodes that are no cells, on genes that copy the labels, and on identical cells."""
    lines = []
    totals = np.asarray(matrix.sum(axis=1)).ravel()
    n_low = int(((totals > 0) & (totals < _FEW_COUNTS)).sum())
    if is_counts and matrix.shape[1] >= _ALL_GENES and n_low > len(totals) / 2:
        lines.append(
            f"dataset {name}: {n_low} of {len(totals)} cells have fewer than {_FEW_COUNTS} counts{_UNFILTERED}"
        )
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


def mismatches(checked: CheckedCounts, config: DatasetConfig) -> list[str]:
    """Return one line for each number (cells, genes, types) that is not what the description expects."""
    found = {"cells": checked.matrix.shape[0]} if config.empty_cells == "keep" else {}
    found |= {"genes": checked.matrix.shape[1]} if config.spike_ins == "keep" else {}
    if checked.labels is not None:
        found["types"] = len(np.unique(checked.labels))
    return [
        f"dataset {config.name}: expected {getattr(config, what)} {what}, found {number}"
        for what, number in found.items()
        if getattr(config, what) not in (None, number)
    ]


def _refuse_bad_values(matrix: csr_matrix, name: str) -> None:
    """Refuse NaN, infinite and negative values, naming the first."""
    for what, bad, advice in (
        ("not a finite number", ~np.isfinite(matrix.data), "Remove or fill these values in the file"),
        ("negative", matrix.data < 0, "Give raw counts, or values before scaling. " + _HOW_TO_PASS),
    ):
        if bad.any():
            cell, gene = _position(matrix, int(np.argmax(bad)))
            raise DataError(
                f"dataset {name}: {bad.sum()} values are {what} (first: {matrix.data[np.argmax(bad)]:g} "
                f"at cell {cell}, gene {gene}, counted from 0). {advice}"
            )


def _as_values(matrix: csr_matrix, config: DatasetConfig) -> csr_matrix:
    """Apply ``values`` and ``rounding``: counts become whole numbers, linear values their ln(1 + x)."""
    if config.values == "linear":
        matrix.data = np.log1p(matrix.data)
        return matrix
    if config.values == "log_normalised":
        return matrix
    whole = np.rint(matrix.data)
    fractional = whole != matrix.data
    if not fractional.any():
        return matrix
    if config.rounding == "none":
        first = int(np.argmax(fractional))
        cell, gene = _position(matrix, first)
        raise DataError(
            f"dataset {config.name}: {fractional.mean():.1%} of the stored values are not whole numbers (first: "
            f"{matrix.data[first]:g} at cell {cell}, gene {gene}, counted from 0), so they are not raw counts. "
            f"{_HOW_TO_PASS}"
        )
    matrix.data = whole if config.rounding == "round" else np.ceil(matrix.data)
    return matrix


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


def _position(matrix: csr_matrix, index: int) -> tuple[int, int]:
    """Return cell and gene of one stored value."""
    return int(np.searchsorted(matrix.indptr, index, side="right")) - 1, int(matrix.indices[index])
