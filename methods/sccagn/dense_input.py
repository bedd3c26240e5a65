"""The dense input of the networks from log-normalised values, made some genes at a time in its own place."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from scbench.preprocessing.prepare import Recipe
from scbench.preprocessing.scaling import column_moments, to_uniform_quantiles, to_unit_range, to_unit_rows

__all__ = ["dense_input", "on_device", "sparse_steps", "transformed_genes"]

_GENES_AT_ONCE = 128
_CELLS_AT_ONCE = 4096


def sparse_steps(recipe: Recipe) -> Recipe:
    """Return the steps of a recipe up to the choice of genes, which leave zeros where they are."""
    return replace(recipe, ceil_log=False, scale=False, quantile=False, minmax=None, l2_cell=False)


def dense_input(log_norm: csr_matrix, is_known: np.ndarray, recipe: Recipe) -> np.ndarray:
    """Return the values after the steps that follow the choice of genes, to the last bit those of ``prepare``.

    ``prepare`` holds up to four arrays of this size at once; this holds the result alone.

    Args:
        log_norm: (n_cells, n_genes) float32, of :func:`sparse_steps`.
        is_known: (n_cells,) bool, the cells whose moments, quantiles and ranges count; the others are cut to these.
        recipe: all steps.

    Returns:
        (n_cells, n_genes) float32, contiguous.
    """
    columns = log_norm.tocsc()
    x = np.empty(log_norm.shape, dtype=np.float32)
    for start in range(0, x.shape[1], _GENES_AT_ONCE):
        genes = slice(start, start + _GENES_AT_ONCE)
        x[:, genes] = transformed_genes(csr_matrix(columns[:, genes]), is_known, recipe)
    if recipe.l2_cell:
        for start in range(0, len(x), _CELLS_AT_ONCE):
            cells = slice(start, start + _CELLS_AT_ONCE)
            x[cells] = np.asarray(to_unit_rows(x[cells]))
    return x


def transformed_genes(values: csr_matrix, is_known: np.ndarray, recipe: Recipe) -> np.ndarray:
    """Return some genes after the steps that go gene by gene, dense; see :func:`dense_input`."""
    if recipe.ceil_log:
        values = csr_matrix((np.ceil(values.data), values.indices, values.indptr), shape=values.shape)
    dense = values.toarray()
    if recipe.scale:
        mean, sd = column_moments(csr_matrix(values[is_known]), int(is_known.sum()))
        dense -= mean.astype(np.float32)
        dense /= np.where(sd > 0, sd, 1).astype(np.float32)
    if recipe.quantile:
        dense = to_uniform_quantiles(dense, is_known)
    if recipe.minmax is not None:
        dense = to_unit_range(dense, 0, is_known)
    return dense


def on_device(x: np.ndarray, rows: np.ndarray, device: torch.device) -> Tensor:
    """Return some rows of ``x`` as a tensor; on a CPU that of all rows shares their memory and is not to be written.

    Args:
        x: (n_cells, n_genes) float32.
        rows: (n_cells,) bool.
        device: where the tensor is to be.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writ")
        return torch.from_numpy(x if rows.all() else x[rows]).to(device)
