"""Counts made ready for a method: filter, size factors, log-normalisation, variable genes, scaling, components.

Everything stays sparse until a recipe asks for a matrix without zeros.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import cast

import numpy as np
from scipy.sparse import csr_matrix

from scbench.errors import DataError
from scbench.inputs import Array, Derived, InputCache, derive
from scbench.method import Counts
from scbench.preprocessing.hvg import variable_genes
from scbench.preprocessing.pca import pca_scores
from scbench.preprocessing.recipe import STANDARD_RECIPE, Recipe
from scbench.preprocessing.scaling import (
    clipped_deviations,
    pieces,
    to_uniform_quantiles,
    to_unit_range,
    to_unit_rows,
    to_z_scores,
)

__all__ = ["STANDARD_RECIPE", "Prepared", "Recipe", "prepare", "principal_components"]

_ROWS_AT_ONCE = 4096
# Components of larger matrices keep no copy of the matrix before scaling beside them in the cache.
_MOST_CACHED_ENTRIES = 1 << 24


@dataclass(frozen=True)
class Prepared:
    """What :func:`prepare` returns. Arrays may be shared with each other and with a cache: read, do not write.

    Attributes:
        x: (n_cells, n_selected) float32, dense when ``Recipe.gives_dense``, else CSR.
        counts: (n_cells, n_selected) float32 CSR, the (rounded) input values of the same genes.
        size_factors: (n_cells,) float32, library over median library; 1 for an empty cell.
        nonempty: (n_cells,) bool, whether the cell has a count in any gene that passed the filter.
        genes: (n_selected,) int64, increasing; columns of the input.
    """

    x: Array
    counts: csr_matrix
    size_factors: np.ndarray
    nonempty: np.ndarray
    genes: np.ndarray


def prepare(counts: Counts, recipe: Recipe, cache: InputCache | None = None) -> Prepared:
    """Return the input matrix of a method, with its counts, size factors and genes.

    No cell is ever dropped. A cell without counts keeps its row, but is left out of the median library and of every
    statistic of a gene (variability, mean, standard deviation, range, quantiles), so the other cells get the values
    they would get if it had been dropped. Libraries are summed after the filter on ``min_cells`` and before variable
    genes are chosen. When ``counts`` holds log-normalised values, rounding, size factors and logarithm are skipped
    and all size factors are 1.

    Args:
        counts: (n_cells, n_genes) input; never changed.
        recipe: the steps.
        cache: the run's cache, or None.

    Raises:
        DataError: if a value is not finite, a count is negative, no gene is left, or the choice of variable genes
            does not fit the values.
    """

    def compute(matrix: csr_matrix, _: InputCache | None) -> Derived:
        done = _prepare(matrix, counts.is_counts, recipe)
        per_cell = {
            "x": done.x,
            "counts": done.counts,
            "size_factors": done.size_factors,
            "nonempty": done.nonempty,
        }
        return Derived(per_cell=per_cell, shared={"genes": done.genes})

    params = {"recipe": asdict(recipe), "is_counts": counts.is_counts}
    found = derive(counts.matrix, "prepare", params, compute, cache)
    return Prepared(
        x=found.per_cell["x"],
        counts=cast(csr_matrix, found.per_cell["counts"]),
        size_factors=cast(np.ndarray, found.per_cell["size_factors"]),
        nonempty=cast(np.ndarray, found.per_cell["nonempty"]),
        genes=found.shared["genes"],
    )


def principal_components(
    counts: Counts, recipe: Recipe, n_components: int, cache: InputCache | None = None
) -> np.ndarray:
    """Return the scores of the cells on the leading principal components of the recipe's matrix.

    A z-scored matrix is never held: see ``scaling.clipped_deviations``.

    Returns:
        (n_cells, n) float32 with n = min(n_components, n_cells - 1, n_selected), at least 1.

    Raises:
        ValueError: if ``n_components`` is below 1.
        DataError: as :func:`prepare`.
    """

    def compute(matrix: csr_matrix, inner: InputCache | None) -> Derived:
        here = Counts(matrix, None, counts.is_counts)
        if recipe.scale and not (recipe.quantile or recipe.minmax or recipe.l2_cell):
            unscaled = replace(recipe, scale=False, clip=None)
            if matrix.nnz <= _MOST_CACHED_ENTRIES:
                done = prepare(here, unscaled, inner)
            else:
                done = _prepare(matrix, counts.is_counts, unscaled, may_share=True)
            x: Array = clipped_deviations(cast(csr_matrix, done.x), int(done.nonempty.sum()), recipe.clip)
            del done
        else:
            x = prepare(here, recipe, inner).x
        return Derived(per_cell={"scores": pca_scores(x, n_components)})

    params = {"recipe": asdict(recipe), "is_counts": counts.is_counts, "n_components": n_components}
    return cast(np.ndarray, derive(counts.matrix, "pca", params, compute, cache).per_cell["scores"])


def _prepare(matrix: csr_matrix, is_counts: bool, recipe: Recipe, *, may_share: bool = False) -> Prepared:
    """Compute :func:`prepare` for one matrix; what ``may_share`` memory with that is not to leave this module."""
    clean = _checked(matrix, is_counts)
    if is_counts and recipe.round_counts is not None:
        clean = _rounded(clean, recipe.round_counts)
    genes = _expressed_genes(clean, is_counts, recipe.min_cells)
    kept = clean if may_share and len(genes) == clean.shape[1] else clean[:, genes]
    nonempty = np.diff(kept.indptr) > 0
    size_factors, x = np.ones(kept.shape[0]), kept
    if is_counts:
        library = np.asarray(kept.sum(axis=1, dtype=np.float64)).ravel()
        size_factors[nonempty] = library[nonempty] / np.median(library[nonempty])
        x = _normalised(kept, np.where(nonempty, library, 1.0), size_factors, recipe)
    if recipe.hvg is not None and recipe.hvg < len(genes):
        chosen = variable_genes(
            _rows(x, nonempty),
            recipe.hvg,
            recipe.hvg_flavor,
            is_log=recipe.log1p or not is_counts,
            counts=_rows(kept, nonempty) if is_counts else None,
        )
        genes, kept, x = genes[chosen], kept[:, chosen], x[:, chosen]
    return Prepared(
        x=_transformed(x, nonempty, recipe),
        counts=kept,
        size_factors=size_factors.astype(np.float32),
        nonempty=nonempty,
        genes=genes.astype(np.int64),
    )


def _checked(matrix: csr_matrix, is_counts: bool) -> csr_matrix:
    """Return ``matrix`` as float32 CSR with each entry stored once and no stored zero; a copy only where it must."""
    clean = csr_matrix(matrix, dtype=np.float32)
    if not clean.has_canonical_format or not clean.data.all():
        clean = clean.copy()
        clean.sum_duplicates()
        clean.eliminate_zeros()
    if not np.isfinite(clean.data).all():
        raise DataError("the counts hold NaN or infinite values; remove or replace them before clustering")
    if is_counts and clean.nnz and clean.data.min() < 0:
        raise DataError(
            f"counts must not be negative, the smallest is {clean.data.min():g}; "
            "if the values are log-normalised, say so (is_counts=False)"
        )
    return clean


def _rounded(matrix: csr_matrix, how: str) -> csr_matrix:
    """Return ``matrix`` with whole values."""
    whole = matrix.copy()
    (np.rint if how == "round" else np.ceil)(whole.data, out=whole.data)
    whole.eliminate_zeros()
    return whole


def _expressed_genes(matrix: csr_matrix, is_counts: bool, min_cells: int) -> np.ndarray:
    """Return the indices of the genes that pass the filters."""
    n_cells, n_genes = matrix.shape
    found_in, total = np.zeros(n_genes, dtype=np.int64), np.zeros(n_genes)
    for piece in pieces(matrix.nnz):
        found_in += np.bincount(matrix.indices[piece], minlength=n_genes)
        if is_counts:
            total += np.bincount(matrix.indices[piece], weights=matrix.data[piece], minlength=n_genes)
    keep = found_in >= max(min_cells, 1)
    if is_counts:
        keep &= total >= 1
    if not keep.any():
        raise DataError(
            f"zero genes left of {n_genes}: none is found in at least {max(min_cells, 1)} of {n_cells} cells"
            f"{' with a total of at least 1' if is_counts else ''}; lower min_cells or check the counts"
        )
    return np.flatnonzero(keep)


def _normalised(kept: csr_matrix, library: np.ndarray, size_factors: np.ndarray, recipe: Recipe) -> csr_matrix:
    """Return library-normalised values, with their logarithm when asked for; computed in float64."""
    divisor = None
    if recipe.target is not None:
        divisor = size_factors if isinstance(recipe.target, str) else library / recipe.target
    data = np.empty(kept.nnz, dtype=np.float32)
    for first in range(0, kept.shape[0], _ROWS_AT_ONCE):
        rows = slice(first, min(first + _ROWS_AT_ONCE, kept.shape[0]))
        entries = slice(kept.indptr[rows.start], kept.indptr[rows.stop])
        values = kept.data[entries].astype(np.float64)
        if divisor is not None:
            values /= np.repeat(divisor[rows], np.diff(kept.indptr[rows.start : rows.stop + 1]))
        data[entries] = np.log1p(values, out=values) if recipe.log1p else values
    return csr_matrix((data, kept.indices, kept.indptr), shape=kept.shape)


def _rows(x: csr_matrix, nonempty: np.ndarray) -> csr_matrix:
    """Return the rows of non-empty cells, without a copy when that is all of them."""
    return x if nonempty.all() else x[nonempty]


def _transformed(x: csr_matrix, nonempty: np.ndarray, recipe: Recipe) -> Array:
    """Apply the steps that follow the choice of genes."""
    if recipe.ceil_log:
        x = csr_matrix((np.ceil(x.data), x.indices, x.indptr), shape=x.shape)
    if not recipe.gives_dense:
        return to_unit_rows(x) if recipe.l2_cell else x
    dense = to_z_scores(x, int(nonempty.sum()), recipe.clip) if recipe.scale else x.toarray()
    if recipe.quantile:
        dense = to_uniform_quantiles(dense, nonempty)
    if recipe.minmax is not None:
        dense = to_unit_range(dense, 0 if recipe.minmax == "gene" else 1, nonempty)
    return to_unit_rows(dense) if recipe.l2_cell else dense
