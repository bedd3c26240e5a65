"""AnnData files older than 0.7, whose ``obs`` and ``var`` are compound datasets."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers.declared import stored_values
from scbench.data.readers.h5ad_matrix import choose_matrix, counts_elsewhere
from scbench.data.readers.hdf5 import entry, open_h5, read_matrix
from scbench.data.readers.labels import NO_LABELS, check_length, choose_column, text_labels, text_names
from scbench.errors import DataError

__all__ = ["read", "read_column"]


def read(path: Path, source: SourceFile, *, label: str | None, label_path: Path | None = None) -> LabelledCounts:
    """Return an old h5ad file; ``source.matrix`` is ``X`` (default), ``raw`` or the name of a layer.

    Raises:
        DataError: if the file is damaged, is of the new layout, or a part is missing or of the wrong length.
    """
    with open_h5(path, source.member) as file:
        obs = _records(file, "obs", path.name)
        place = choose_matrix(file, source.matrix, path.name)
        matrix = read_matrix(file, place, path.name, source.orientation)
        warnings = counts_elsewhere(file, matrix, path.name) if place == "X" else ()
        var = _records(file, "raw.var" if place == "raw.X" else "var", path.name)
        labels = labels_from = None
        if label != NO_LABELS:
            column = choose_column([name for name in obs.dtype.names or () if name != "index"], label, path.name)
            labels = check_length(text_labels(read_column(file, obs, column)), matrix.shape[0], path.name)
            labels_from = repr(column)
    return LabelledCounts(matrix, labels, _index(var), _index(obs), warnings, labels_from)


def read_column(file: h5py.File, obs: np.ndarray, column: str) -> np.ndarray:
    """Return a column of ``obs``; codes become the names in ``uns/<column>_categories`` (-1 becomes None)."""
    codes = obs[column]
    categories = file.get(f"uns/{column}_categories")
    if categories is None:
        return np.asarray(codes)
    names = np.array([*text_names(stored_values(categories, file.filename)), None], dtype=object)
    return np.asarray(names[codes])


def _records(file: h5py.File, name: str, shown: str) -> np.ndarray:
    item = entry(file, name, shown)
    if not isinstance(item, h5py.Dataset) or item.dtype.names is None:
        raise DataError(f"{shown} has no compound dataset {name!r}: it is not an old h5ad; use the reader h5ad")
    return stored_values(item, shown)


def _index(records: np.ndarray) -> np.ndarray | None:
    return text_names(records["index"]) if "index" in (records.dtype.names or ()) else None
