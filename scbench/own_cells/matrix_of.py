"""The matrix of an AnnData, a DataFrame or another matrix, with the names of its genes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix, issparse

from scbench.data.readers.feature_types import gene_features
from scbench.data.readers.labels import shown, text_names
from scbench.errors import ConfigError, DataError
from scbench.names import unknown

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["is_anndata", "matrix_of"]

_NUMBERS = "buif"  # kinds of numpy types


def is_anndata(data: object) -> TypeGuard[AnnData]:
    """Return whether ``data`` is an AnnData; who has one has imported anndata."""
    anndata = sys.modules.get("anndata")
    return anndata is not None and isinstance(data, anndata.AnnData)


def matrix_of(data: object, layer: str | None) -> tuple[csr_matrix, np.ndarray | None, list[str]]:
    """Return values and gene names, and what is left out, a line each: features that are no genes.

    The matrix may share its memory with ``data``: who changes it copies it first.

    Args:
        data: AnnData (in memory, a view, or backed by a file), DataFrame, or dense or sparse matrix; cells in rows.
        layer: layer of the AnnData; None takes ``X``.

    Returns:
        (n_cells, n_genes) matrix of any type of number, (n_genes,) names or None, lines.

    Raises:
        ConfigError: unknown layer, or a layer of what is no AnnData.
        DataError: ``data`` is of another kind, or not a table of numbers; or no feature is a gene.
    """
    if not is_anndata(data):
        if layer is not None:
            raise ConfigError(f"layer={layer!r} needs an AnnData, got {type(data).__name__}")
        if isinstance(data, pd.DataFrame):
            return csr_matrix(_numbers(data)), text_names(data.columns), []
        return _sparse(data, "the matrix"), None, []
    if layer is not None and layer not in data.layers:
        raise ConfigError(unknown("layer", layer, list(data.layers)))
    where = "X of the AnnData" if layer is None else f"layer {layer!r} of the AnnData"
    values = data.X if layer is None else data.layers[layer]
    if values is None:
        raise DataError(f"the AnnData has no X; layer= names the layer that holds the values ({_listed(data)})")
    matrix, genes = _sparse(values, where), text_names(data.var_names)
    if "feature_types" not in data.var:
        return matrix, genes, []
    is_gene, said = gene_features(text_names(data.var["feature_types"]), "the AnnData")
    return (csr_matrix(matrix[:, np.flatnonzero(is_gene)]), genes[is_gene], [*said]) if said else (matrix, genes, [])


def _listed(adata: AnnData) -> str:
    """Return the names of the layers, for a message."""
    return f"there are: {', '.join(adata.layers)}" if adata.layers else "there are none, either"


def _numbers(table: pd.DataFrame) -> np.ndarray:
    """Return the values of a table, (n_cells, n_genes) float32, NaN where one is missing."""
    others = [shown(str(name)) for name, kind in table.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)]
    if others:
        raise DataError(
            f"the DataFrame has columns that are not numbers: {len(others)}, the first is {others[0]!r}; take them out "
            "(cells are rows, genes are columns)"
        )
    return table.to_numpy(dtype=np.float32, na_value=np.nan)


def _sparse(values: Any, where: str) -> csr_matrix:  # Any: told by its attributes
    """Return a matrix as CSR, read into memory where it lies in a file."""
    if hasattr(values, "to_memory"):  # a sparse matrix of a backed AnnData
        values = values.to_memory()
    matrix: Any = values if issparse(values) else np.asarray(values)
    if matrix.ndim != 2 or matrix.dtype.kind not in _NUMBERS:
        raise DataError(
            f"{where} is no table of numbers, but {type(values).__name__} of {matrix.ndim} dimensions and type "
            f"{matrix.dtype}; give an AnnData, a DataFrame, or a dense or sparse matrix, cells in rows"
        )
    return csr_matrix(matrix)
