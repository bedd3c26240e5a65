"""R files through the optional package ``rdata``: objects, matrices and vectors of labels."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from scbench.data.readers import stacking
from scbench.data.readers.labels import text_labels, text_names
from scbench.errors import DataError
from scbench.names import nearest

__all__ = ["find", "load_r", "matrix_of", "vector_of"]


def load_r(path: Path) -> dict[str, Any]:
    """Return the objects of an ``.rda`` or ``.RData`` file by name (Any: whatever R stored).

    Raises:
        DataError: if ``rdata`` is not installed or cannot read the file.
    """
    try:
        import rdata
    except ImportError as error:
        raise DataError(
            f"{path.name} is an R file and the package rdata is missing: pip install 'scbench[r]', "
            "or convert it in R (write.csv of the matrix and of the labels)"
        ) from error
    if not path.is_file():
        raise DataError(f"{path} does not exist; check the path or fetch the file again")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # classes without a constructor; their parts are what is wanted
            objects: dict[str, Any] = rdata.read_rda(path)
    except Exception as error:  # rdata raises many types on damage, down to assertions
        found = " ".join(str(error).split())[:300] or type(error).__name__
        raise DataError(f"{path.name} cannot be read as an R file: {found}. Fetch it again or convert it") from error
    return objects


def find(objects: Mapping[str, Any], name: str, file: str) -> Any:
    """Return the element called ``name``, wherever it sits in nested lists or S4 slots, the outermost first.

    Raises:
        DataError: if there is none; lists the names seen.
    """
    seen: dict[str, Any] = {}
    for key, value in _walk(objects):
        if key == name:
            return value
        seen.setdefault(key, value)
    close = nearest(name, seen)
    hint = f" Did you mean {close!r}?" if close else ""
    raise DataError(f"{file} has no element {name!r}.{hint} Found: {', '.join(list(seen)[:20])}")


def matrix_of(value: Any, name: str, file: str) -> tuple[csr_matrix, np.ndarray | None, np.ndarray | None]:
    """Return (cells x genes CSR, genes, cells) from a genes x cells matrix or data frame.

    R files are held dense by ``rdata``; only the copy made here is sparse.

    Raises:
        DataError: if the element is not a matrix of numbers.
    """
    rows = columns = None
    if hasattr(value, "columns"):  # pandas
        rows, columns, values = value.index, value.columns, value.to_numpy()
    elif hasattr(value, "dims"):  # xarray
        named = [value.coords[dim].to_numpy() if dim in value.coords else None for dim in value.dims]
        rows, columns = [*named, None, None][:2]
        values = value.to_numpy()
    else:
        values = np.asarray(value)
    if values.ndim != 2 or values.dtype.kind not in "iufb":
        raise DataError(f"{file}: element {name!r} is not a matrix of numbers but {type(value).__name__}")
    n_genes, n_cells = values.shape
    step = max(1, stacking.BLOCK_BYTES // (8 * max(n_genes, 1)))
    blocks = (values[:, start : start + step].T for start in range(0, n_cells, step))
    matrix = stacking.stack(blocks, shape=(0, n_genes))
    return (
        matrix,
        None if rows is None else text_names(rows),
        None if columns is None else text_names(columns),
    )


def vector_of(value: Any, name: str, file: str) -> np.ndarray:
    """Return an R vector, factor or one-column data frame as labels.

    Raises:
        DataError: if it is something else.
    """
    if hasattr(value, "columns") and len(value.columns) == 1:
        value = value.iloc[:, 0]
    if isinstance(value, Mapping) or value is None or isinstance(value, str) or hasattr(value, "columns"):
        raise DataError(f"{file}: element {name!r} is not a vector of labels but {type(value).__name__}")
    return text_labels(value if isinstance(value, list) else np.asarray(value))


def _walk(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield (name, value) of the members of nested lists, breadth first."""
    level = [value]
    while level:
        members = [pair for item in level for pair in _members(item)]
        yield from members
        level = [item for _, item in members]


def _members(item: Any) -> list[tuple[str, Any]]:
    if isinstance(item, SimpleNamespace):
        item = vars(item)
    if isinstance(item, Mapping):
        return [(str(key), value) for key, value in item.items()]
    return []
