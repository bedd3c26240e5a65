"""Check what a reader returned before any method sees it, and turn it into counts and labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from scbench.data.config import DatasetConfig
from scbench.data.labelled import LabelledCounts
from scbench.errors import DataError

__all__ = ["CheckedCounts", "check_content", "mismatches"]

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
    """

    matrix: csr_matrix
    labels: np.ndarray | None
    genes: np.ndarray | None
    is_counts: bool
    warnings: tuple[str, ...]


def check_content(content: LabelledCounts, config: DatasetConfig) -> CheckedCounts:
    """Return the content in canonical form.

    Raises:
        DataError: no cells or genes, all zero, NaN or infinite or negative values, counts that are not whole
            numbers, cells without a label, or as many labels as there are not cells.
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
    labels = content.labels
    # A remark on another matrix in the file matters only to who wants counts.
    warnings = [line for line in content.warnings if config.values == "counts" or "dataset.matrix" not in line]
    if labels is not None:
        if len(labels) != matrix.shape[0]:
            raise DataError(
                f"dataset {name} has {matrix.shape[0]} cells but {len(labels)} labels; one label per cell is needed"
            )
        has_label = np.array([label is not None for label in labels])
        if not has_label.all():
            _refuse_unlabelled(has_label, config)
            matrix = matrix[has_label]
            labels = labels[has_label]
            warnings.append(f"dataset {name}: {(~has_label).sum()} cells without a label were left out")
    return CheckedCounts(
        matrix=matrix,
        labels=None if labels is None else labels.astype(str),
        genes=content.genes,
        is_counts=config.values == "counts",
        warnings=tuple(warnings),
    )


def mismatches(checked: CheckedCounts, config: DatasetConfig) -> list[str]:
    """Return one line for each number (cells, genes, types) that is not what the description expects."""
    found = {"cells": checked.matrix.shape[0], "genes": checked.matrix.shape[1]}
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
