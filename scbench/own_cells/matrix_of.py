"""The matrix of an AnnData, a DataFrame or another matrix, with the names of its genes, and where it was found."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix, issparse

from scbench.data.readers.feature_types import gene_features
from scbench.data.readers.labels import shown, text_names
from scbench.errors import ConfigError, DataError
from scbench.names import unknown

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["FoundMatrix", "is_anndata", "matrix_of"]

_NUMBERS = "buif"  # kinds of numpy types
_COUNTS_LAYER = "counts"
_ROWS_LOOKED_AT = 500
_VALUES_LOOKED_AT = 1_000_000


class FoundMatrix(NamedTuple):
    """Values of cells, as they are.

    Attributes:
        matrix: (n_cells, n_genes) of any type of number; it may share its memory with what it was found in.
        genes: (n_genes,) names, or None.
        lines: what is left out, a line each: features that are no genes.
        where: ``X``, ``layers["counts"]``, ``raw`` and the like; for a DataFrame or matrix what it is.
    """

    matrix: csr_matrix
    genes: np.ndarray | None
    lines: list[str]
    where: str


def is_anndata(data: object) -> TypeGuard[AnnData]:
    """Return whether ``data`` is an AnnData; who has one has imported anndata."""
    anndata = sys.modules.get("anndata")
    return anndata is not None and isinstance(data, anndata.AnnData)


def matrix_of(data: object, layer: str | None, *, finds_counts: bool = False) -> FoundMatrix:
    """Return values and gene names.

    Args:
        data: AnnData (in memory, a view, or backed by a file), DataFrame, or dense or sparse matrix; cells in rows.
        layer: layer of the AnnData; None takes ``X``.
        finds_counts: where no layer is named, take the first of ``X``, ``layers["counts"]`` and ``raw`` that holds
            whole numbers (a sample of them is looked at; all are when they are checked).

    Raises:
        ConfigError: unknown layer, or a layer of what is no AnnData.
        DataError: ``data`` is of another kind, or not a table of numbers; no feature is a gene; no counts are found.
    """
    if not is_anndata(data):
        if layer is not None:
            raise ConfigError(f"layer={layer!r} needs an AnnData, got {type(data).__name__}")
        if isinstance(data, pd.DataFrame):
            return FoundMatrix(csr_matrix(_numbers(data)), text_names(data.columns), [], "the DataFrame")
        return FoundMatrix(_sparse(data, "the matrix"), None, [], "the matrix")
    if layer is not None and layer not in data.layers:
        there = "" if data.layers else " The AnnData has no layers."
        raise ConfigError(unknown("layer", layer, list(data.layers)) + there)
    where = "X" if layer is None else f'layers["{layer}"]'
    if layer is None and finds_counts:
        where = _place_of_counts(data)
    values, var = _places(data)[where] if layer is None else (data.layers[layer], data.var)
    if values is None:
        raise DataError(f"the AnnData has no X; layer= names the layer that holds the values ({_listed(data)})")
    matrix, genes = _sparse(values, f"{where} of the AnnData"), text_names(var.index)
    if "feature_types" not in var:
        return FoundMatrix(matrix, genes, [], where)
    is_gene, said = gene_features(text_names(var["feature_types"]), "the AnnData")
    if not said:
        return FoundMatrix(matrix, genes, [], where)
    return FoundMatrix(csr_matrix(matrix[:, np.flatnonzero(is_gene)]), genes[is_gene], [*said], where)


def _places(adata: AnnData) -> dict[str, tuple[Any, pd.DataFrame]]:
    """Return the matrices that counts are looked for in, best first, each with the table of its genes."""
    found: dict[str, tuple[Any, pd.DataFrame]] = {"X": (adata.X, adata.var)}
    if _COUNTS_LAYER in adata.layers:
        found[f'layers["{_COUNTS_LAYER}"]'] = (adata.layers[_COUNTS_LAYER], adata.var)
    if adata.raw is not None:
        found["raw"] = (adata.raw.X, adata.raw.var)
    return found


def _place_of_counts(adata: AnnData) -> str:
    """Return the first place that holds whole numbers.

    Raises:
        DataError: there is none; the message says what is where.
    """
    said = []
    for where, (values, _) in _places(adata).items():
        wrong = "is not there" if values is None else _why_no_counts(values)
        if not wrong:
            return where
        said.append(f"{where} {wrong}")
    others = [name for name in adata.layers if name != _COUNTS_LAYER]
    if _COUNTS_LAYER not in adata.layers:
        said.append(f'layers["{_COUNTS_LAYER}"] is not there')
    if adata.raw is None:
        said.append("raw is not there")
    there = f" (other layers: {', '.join(map(shown, others))})" if others else ""
    raise DataError(f"no counts in the AnnData: {', '.join(said)}{there}")


def _why_no_counts(values: Any) -> str:  # Any: told by its attributes
    """Return why a matrix holds no counts, by a sample of its values; empty where nothing speaks against it."""
    is_sparse = bool(issparse(values))
    stored = values if is_sparse else values[:_ROWS_LOOKED_AT]  # of a matrix in a file these become one in memory
    sample = np.asarray(stored.data if is_sparse or bool(issparse(stored)) else stored).ravel()[:_VALUES_LOOKED_AT]
    if sample.dtype.kind not in _NUMBERS:
        return f"holds {sample.dtype}"
    if (sample < 0).any():
        return "has values that are negative"
    return "" if (np.rint(sample) == sample).all() else "has values that are not whole numbers"


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
