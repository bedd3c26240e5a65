"""AnnData files: h5ad, the modalities of h5mu, and zarr stores."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from scipy.sparse import csr_matrix

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers import h5ad_old
from scbench.data.readers.anndata_table import column, column_names, index
from scbench.data.readers.feature_types import gene_features
from scbench.data.readers.h5ad_matrix import choose_matrix, counts_elsewhere
from scbench.data.readers.hdf5 import entry, open_h5, read_matrix
from scbench.data.readers.hdf5_columns import is_group
from scbench.data.readers.labels import NO_LABELS, check_length, choose_column, text_labels, text_names
from scbench.data.readers.turning import turned_to_fit
from scbench.errors import DataError

__all__ = ["read", "read_anndata"]

_FEATURE_TYPES = "feature_types"  # what scanpy's read_10x_h5 and read_10x_mtx keep of the types


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
    Features that ``var["feature_types"]`` calls something else than gene expression are left out.

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
    matrix, said = turned_to_fit(matrix, cells, genes, f"{file}: {place}")
    if _FEATURE_TYPES in var and genes is not None and len(genes) == matrix.shape[1]:
        is_gene, told = gene_features(text_names(column(var, _FEATURE_TYPES, file)[0]), file)
        if told:
            matrix, genes, said = csr_matrix(matrix[:, np.flatnonzero(is_gene)]), genes[is_gene], (*said, *told)
    labels = labels_from = None
    if label != NO_LABELS:
        name = choose_column(column_names(obs), label, file)
        values, told = column(obs, name, file)
        labels, labels_from = check_length(text_labels(values), matrix.shape[0], file), repr(name)
        warnings += told
    also = _other_names(obs, cells, file) if label == NO_LABELS else {}
    return LabelledCounts(matrix, labels, genes, cells, (*said, *warnings), labels_from, also)


def _other_names(obs: Any, cells: np.ndarray | None, file: str) -> dict[str, np.ndarray]:
    """Return the columns of ``obs`` that may name the cells where its index has only numbers: plain text, no types."""
    if cells is not None and not all(name.isdecimal() for name in cells):
        return {}
    found = {}
    for name in column_names(obs):
        item = obs[name]
        if not is_group(item) and item.dtype.kind in "OSUT":
            with suppress(OSError, ValueError, TypeError):  # nobody has asked for this column
                found[name] = text_names(column(obs, name, file)[0])
    return found


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
