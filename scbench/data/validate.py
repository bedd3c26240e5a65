"""Check what a reader returned before any method sees it, and turn it into counts and labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from scbench.data.config import DatasetConfig
from scbench.data.label_checks import check_types
from scbench.data.labelled import LabelledCounts
from scbench.data.left_out import kept_cells, without_rest, without_spike_ins
from scbench.data.remarks import remarks
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
        labels_from: where the labels are from, for messages; None without labels.
        cells: (n_cells,) names of the cells, or their places in the file from 0 where it has no names; None where
            nobody will ask for them.
        n_in_file: number of cells before any was left out.
    """

    matrix: csr_matrix
    labels: np.ndarray | None
    genes: np.ndarray | None
    is_counts: bool
    warnings: tuple[str, ...]
    labels_from: str | None = None
    cells: np.ndarray | None = None
    n_in_file: int | None = None


def check_content(content: LabelledCounts, config: DatasetConfig, how_to_pass: str = _HOW_TO_PASS) -> CheckedCounts:
    """Return the content in canonical form.

    Args:
        content: what was read; it stays as it is.
        config: what is expected of it.
        how_to_pass: how values that are no counts are passed, for messages.

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
        _refuse_bad_values(matrix, name, how_to_pass)
        matrix = _as_values(matrix, config, how_to_pass)
    except DataError as error:  # the reader may know of a better matrix in the file
        raise DataError(". ".join([str(error), *content.warnings])) from error
    matrix.eliminate_zeros()
    if matrix.nnz == 0:
        raise DataError(f"dataset {name}: all {matrix.shape[0]} x {matrix.shape[1]} values are zero; check the file")
    # A remark on another matrix in the file matters only to who wants counts.
    warnings = [line for line in content.warnings if config.values == "counts" or "dataset.matrix" not in line]
    kept, said = kept_cells(matrix, content.labels, config)
    labels, n_in_file = content.labels, len(kept)
    cells = np.arange(n_in_file).astype(str) if content.cells is None else content.cells
    if not kept.all():
        matrix, labels, cells = csr_matrix(matrix[kept]), None if labels is None else labels[kept], cells[kept]
    types = None if labels is None else labels.astype(str)
    warnings += said
    if types is not None:
        warnings += check_types(types, name)
    matrix, genes, rest = without_rest(matrix, content.genes, name)
    matrix, genes, said = without_spike_ins(matrix, genes, config)
    warnings += [*rest, *said, *remarks(matrix, genes, types, name, is_counts=config.values == "counts")]
    return CheckedCounts(
        matrix=matrix,
        labels=types,
        genes=genes,
        is_counts=config.values == "counts",
        warnings=tuple(warnings),
        labels_from=None if types is None else content.labels_from,
        cells=cells,
        n_in_file=n_in_file,
    )


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


def _refuse_bad_values(matrix: csr_matrix, name: str, how_to_pass: str) -> None:
    """Refuse NaN, infinite and negative values, naming the first."""
    for what, bad, advice in (
        ("not a finite number", ~np.isfinite(matrix.data), "Remove or fill these values in the file"),
        ("negative", matrix.data < 0, "Give raw counts, or values before scaling. " + how_to_pass),
    ):
        if bad.any():
            cell, gene = _position(matrix, int(np.argmax(bad)))
            raise DataError(
                f"dataset {name}: {bad.sum()} values are {what} (first: {matrix.data[np.argmax(bad)]:g} "
                f"at cell {cell}, gene {gene}, counted from 0). {advice}"
            )


def _as_values(matrix: csr_matrix, config: DatasetConfig, how_to_pass: str) -> csr_matrix:
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
            f"{how_to_pass}"
        )
    matrix.data = whole if config.rounding == "round" else np.ceil(matrix.data)
    return matrix


def _position(matrix: csr_matrix, index: int) -> tuple[int, int]:
    """Return cell and gene of one stored value."""
    return int(np.searchsorted(matrix.indptr, index, side="right")) - 1, int(matrix.indices[index])
