"""Choice of variable genes."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from scbench.errors import DataError
from scbench.preprocessing.recipe import HvgFlavor
from scbench.preprocessing.scaling import column_moments

__all__ = ["variable_genes"]

# exp of a larger value does not fit float32; logarithms of normalised counts stay below 15.
_LARGEST_LOG = 80.0


def variable_genes(
    x: csr_matrix, n_top: int, flavor: HvgFlavor, *, is_log: bool, counts: csr_matrix | None
) -> np.ndarray:
    """Return the increasing column indices of the ``n_top`` most variable genes.

    Args:
        x: (n_cells, n_genes) CSR of (log-)normalised values, without empty cells.
        n_top: fewer than the number of genes. A tie at the threshold can add a gene, as in scanpy.
        flavor: "seurat" (dispersion of the values before the logarithm) and "seurat_v3" (variance of standardised
            counts) as in scanpy; "std" takes the largest standard deviations of ``x``, ties to the lower index.
        is_log: whether ``x`` is logarithmic.
        counts: raw counts of the same cells and genes for "seurat_v3", or None when there are none.

    Returns:
        Indices; all genes when variability is undefined for each of them (a single cell, no varying gene).

    Raises:
        DataError: when "seurat_v3" has no counts, or the values are too large to be logarithms.
    """
    everything = np.arange(x.shape[1])
    if x.shape[0] < 2:
        return everything
    if flavor == "std":
        _, sd = column_moments(x, x.shape[0])
        return np.sort(np.argsort(-sd, kind="stable")[:n_top])
    if flavor == "seurat_v3":
        if counts is None:
            raise DataError(
                "hvg_flavor 'seurat_v3' needs raw counts, and these are log-normalised; use 'seurat' or 'std'"
            )
        return _by_scanpy(counts, n_top, flavor, check_values=False)
    if is_log and x.nnz and x.data.max() > _LARGEST_LOG:
        raise DataError(
            f"a value of {x.data.max():g} cannot be the logarithm of a normalised count; "
            "if the values are raw counts, say so (is_counts=True)"
        )
    chosen = _by_scanpy(x if is_log else x.log1p(), n_top, flavor)
    return chosen if len(chosen) else everything


def _by_scanpy(values: csr_matrix, n_top: int, flavor: HvgFlavor, **options: Any) -> np.ndarray:
    """Return the indices that scanpy marks; none when it finds no gene whose variability is defined."""
    import anndata
    import scanpy

    with warnings.catch_warnings(), _torch_threads_kept():
        warnings.simplefilter("ignore")
        try:
            table = scanpy.pp.highly_variable_genes(
                anndata.AnnData(values), n_top_genes=n_top, flavor=flavor, inplace=False, **options
            )
        except IndexError:  # its threshold is taken from an empty list
            return np.empty(0, dtype=np.int64)
        except ValueError as error:  # the regression of seurat_v3 needs more cells than there are
            raise DataError(
                f"variable genes of flavour {flavor!r} cannot be chosen from {values.shape[0]} cells and "
                f"{values.shape[1]} genes ({error}); use flavour 'seurat' or 'std'"
            ) from error
    return np.flatnonzero(table["highly_variable"].to_numpy())


@contextmanager
def _torch_threads_kept() -> Iterator[None]:
    """Give torch its number of threads back: scanpy's compiled loops set that of the whole process to all cores."""
    torch = sys.modules.get("torch")
    n_threads = torch.get_num_threads() if torch is not None else 0
    try:
        yield
    finally:
        if torch is not None:
            torch.set_num_threads(n_threads)
