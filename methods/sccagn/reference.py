"""Other cells on the scale of those that were learnt from: the same genes, library and ranges."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from scbench_methods.sccagn.dense_input import sparse_steps, transformed_genes
from scipy.sparse import csr_matrix, vstack

from scbench.errors import DataError
from scbench.method import Counts
from scbench.preprocessing.prepare import Recipe, prepare
from scbench.preprocessing.scaling import row_repeat, to_unit_rows

__all__ = ["Reference", "make_reference", "on_the_scale_of", "shows_any_gene"]

_GENES_AT_ONCE = 128  # held dense, with all cells learnt from


@dataclass(frozen=True)
class Reference:
    """Cells that were learnt from.

    Attributes:
        log_norm: (n_cells, n_genes) float32 CSR, without cells that have no counts.
        expressed: increasing columns of the input that count for a library.
        chosen: increasing columns of the input in ``log_norm``.
        median_library: of the cells; 1 when the input was log-normalised.
        names: names of the input's columns, or None.
        n_columns: of the input.
        is_counts: whether the input were counts.
        recipe: the steps.
    """

    log_norm: csr_matrix
    expressed: np.ndarray
    chosen: np.ndarray
    median_library: float
    names: np.ndarray | None
    n_columns: int
    is_counts: bool
    recipe: Recipe


def make_reference(counts: Counts, recipe: Recipe) -> Reference:
    """Return the reference that ``counts`` make.

    Raises:
        DataError: as ``prepare``.
    """
    plain = sparse_steps(recipe)
    everything = prepare(counts, replace(plain, hvg=None, log1p=False, target=None))
    library = np.asarray(everything.counts.sum(axis=1, dtype=np.float64)).ravel()
    chosen = prepare(counts, plain)
    return Reference(
        log_norm=cast(csr_matrix, chosen.x)[chosen.nonempty],
        expressed=everything.genes,
        chosen=chosen.genes,
        median_library=float(np.median(library[everything.nonempty])) if counts.is_counts else 1.0,
        names=counts.genes,
        n_columns=counts.matrix.shape[1],
        is_counts=counts.is_counts,
        recipe=recipe,
    )


def on_the_scale_of(reference: Reference, counts: Counts) -> np.ndarray:
    """Return other cells as the networks of the reference see them.

    Their libraries are scaled to the reference's median; their values are cut to its ranges. Genes are matched by
    name where both have names and these differ, by position otherwise.

    Args:
        reference: the cells learnt from.
        counts: (n_cells, n_columns) others; never changed.

    Returns:
        (n_cells, n_genes) float32; a cell without counts gets what zeros become.

    Raises:
        DataError: when genes are missing, a name that is needed stands for several, or counts meet log-normalised
            values.
    """
    if counts.is_counts != reference.is_counts:
        kinds = ["counts" if is_counts else "log-normalised" for is_counts in (reference.is_counts, counts.is_counts)]
        raise DataError(f"one set of cells is {kinds[0]} and the other {kinds[1]}; give both as the same")
    where = _columns(reference, counts)
    matrix = csr_matrix(counts.matrix, dtype=np.float32)
    if matrix.nnz and (not np.isfinite(matrix.data).all() or (counts.is_counts and matrix.data.min() < 0)):
        raise DataError("the counts of the other cells hold negative, NaN or infinite values; remove or replace them")
    values = csr_matrix(matrix[:, where[reference.chosen]])
    if counts.is_counts:
        library = np.asarray(matrix[:, where[reference.expressed]].sum(axis=1, dtype=np.float64)).ravel()
        scale = reference.median_library / np.where(library > 0, library, 1)
        data = np.log1p(values.data * row_repeat(scale, values)).astype(np.float32)
        values = csr_matrix((data, values.indices, values.indptr), shape=values.shape)
    return _transformed(reference.log_norm, values, reference.recipe)


def shows_any_gene(reference: Reference, counts: Counts) -> np.ndarray:
    """Return whether each cell has a value in a gene that counts for a library of the reference, (n_cells,) bool.

    Raises:
        DataError: when the genes cannot be matched.
    """
    found = counts.matrix[:, _columns(reference, counts)[reference.expressed]]
    return np.asarray(found.astype(bool).sum(axis=1)).ravel() > 0


def _columns(reference: Reference, counts: Counts) -> np.ndarray:
    """Return for each column of the reference's input the column of the other one; -1 where there is none."""
    if reference.names is None or counts.genes is None:
        if counts.matrix.shape[1] != reference.n_columns:
            raise DataError(
                f"the cells learnt from have {reference.n_columns} genes and the others {counts.matrix.shape[1]}, and "
                "there are no names to match them by; give both the same genes in the same order"
            )
        return np.arange(reference.n_columns)
    if np.array_equal(reference.names, counts.genes):  # then a name may stand for several columns
        return np.arange(reference.n_columns)
    _refuse_ambiguous(reference, counts.genes)
    place = {name: column for column, name in enumerate(counts.genes)}
    where = np.array([place.get(name, -1) for name in reference.names])
    missing = reference.names[reference.expressed[where[reference.expressed] < 0]]
    if len(missing):
        raise DataError(
            f"{len(missing)} of {len(reference.expressed)} genes of the cells learnt from are missing in the others, "
            f"{missing[0]} for one; restrict both to the genes they share"
        )
    return where


def _refuse_ambiguous(reference: Reference, names: np.ndarray) -> None:
    """Refuse names that are needed and stand for several columns of either side."""
    repeated: set[object] = set()
    for side in (cast(np.ndarray, reference.names), names):
        known, n_columns = np.unique(side.astype(str), return_counts=True)
        repeated |= set(known[n_columns > 1])
    wanted = cast(np.ndarray, reference.names)[reference.expressed].astype(str)
    several = [name for name in wanted if name in repeated]
    if several:
        raise DataError(
            f"{len(set(several))} names of genes stand for several columns, {several[0]} for one, and the two sets of "
            "cells do not list the same names in the same order; make the names unique, or give both sets the same "
            "genes in the same order"
        )


def _transformed(log_norm: csr_matrix, others: csr_matrix, recipe: Recipe) -> np.ndarray:
    """Return the others after the steps that follow the choice of genes, by moments and ranges of ``log_norm``."""
    known, new = log_norm.tocsc(), others.tocsc()
    x = np.empty(others.shape, dtype=np.float32)
    is_known = np.arange(known.shape[0] + new.shape[0]) < known.shape[0]
    for start in range(0, x.shape[1], _GENES_AT_ONCE):
        genes = slice(start, start + _GENES_AT_ONCE)
        both = csr_matrix(vstack([known[:, genes], new[:, genes]], format="csr"), dtype=np.float32)
        x[:, genes] = transformed_genes(both, is_known, recipe)[known.shape[0] :]
    return np.asarray(to_unit_rows(x), dtype=np.float32) if recipe.l2_cell else x
