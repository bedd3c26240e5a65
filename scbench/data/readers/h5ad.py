"""AnnData files: h5ad, the modalities of h5mu, and zarr stores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from scipy.sparse import csr_matrix

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers import h5ad_old
from scbench.data.readers.anndata_table import column, column_names, index
from scbench.data.readers.h5ad_matrix import choose_matrix, counts_elsewhere
from scbench.data.readers.hdf5 import entry, open_h5, read_matrix
from scbench.data.readers.hdf5_columns import is_group
from scbench.data.readers.labels import NO_LABELS, check_length, choose_column, text_labels
from scbench.data.readers.stacking import transposed
from scbench.errors import DataError

__all__ = ["read", "read_anndata"]


def read(path: Path, source: SourceFile, *, label: str | None, label_path: Path | None = None) -> LabelledCounts:
    """Return an h5ad file; only the wanted matrix, the names and the label column are read.

    ``source.matrix`` is ``X`` (default), ``raw`` (the matrix and genes of ``.raw``) or the name of a layer.
    Files older than anndata 0.7 are passed to ``h5ad_old``.

    Raises:
        DataError: if the file is damaged, or a part is missing or of the wrong length.
    """
    with open_h5(path, source.member) as file:
        is_old = isinstance(file.get("obs"), h5py.Dataset)
        if not is_old:
            return read_anndata(file, path.name, source, label)
    return h5ad_old.read(path, source, label=label, label_path=label_path)


def read_anndata(root: Any, file: str, source: SourceFile, label: str | None) -> LabelledCounts:
    """Return the AnnData in a group of h5py or zarr.

    A matrix whose two sizes are those of ``var`` and ``obs`` the other way round, as R programs write it, is turned.

    Args:
        root: the group with ``X``, ``obs`` and ``var``.
        file: for messages.
        source: ``matrix`` and ``orientation`` are used.
        label: column of ``obs``.

    Raises:
        DataError: as :func:`read`.
    """
    place = choose_matrix(root, source.matrix, file)
    matrix = read_matrix(root, place, file, source.orientation)
    warnings = list(counts_elsewhere(root, matrix, file) if place == "X" else ())
    obs, var = (_table(root, name, file) for name in ("obs", "raw/var" if place == "raw/X" else "var"))
    cells, genes = index(obs, file), index(var, file)
    matrix, said = _turned(matrix, cells, genes, place, source.orientation, file)
    labels = labels_from = None
    if label != NO_LABELS:
        name = choose_column(column_names(obs), label, file)
        values, told = column(obs, name, file)
        labels, labels_from = check_length(text_labels(values), matrix.shape[0], file), repr(name)
        warnings += told
    return LabelledCounts(matrix, labels, genes, cells, (*said, *warnings), labels_from)


def _table(root: Any, name: str, file: str) -> Any:
    """Return ``obs`` or ``var``.

    Raises:
        DataError: when there is none, or it is no group.
    """
    table = entry(root, name, file)
    if not is_group(table):
        raise DataError(
            f"{file}: {name} is an array where a table (a group of columns) is expected; write the file again"
        )
    return table


def _turned(
    matrix: csr_matrix,
    cells: np.ndarray | None,
    genes: np.ndarray | None,
    place: str,
    orientation: str | None,
    file: str,
) -> tuple[csr_matrix, tuple[str, ...]]:
    """Return the matrix as cells x genes, and a line when it had to be turned."""
    expected = tuple(None if names is None else len(names) for names in (cells, genes))
    if orientation is None and None not in expected and matrix.shape != expected and matrix.shape[::-1] == expected:
        n_rows, n_columns = matrix.shape
        line = (
            f"{file}: {place} is {n_rows} x {n_columns} with {n_columns} cells in obs, so it is read as genes x cells"
        )
        return transposed(matrix), (line,)
    return matrix, ()
