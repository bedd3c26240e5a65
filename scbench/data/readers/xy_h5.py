"""HDF5 with ``X`` (cells x genes) and ``Y`` (labels) at the root."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers.hdf5 import columns_of, open_h5, read_matrix
from scbench.data.readers.labels import NO_LABELS, check_length, choose_column, text_labels, text_names

__all__ = ["read"]

_GENES = ("gene", "genes", "gene_names")
_CELLS = ("cell", "cells", "cell_names")


def read(path: Path, source: SourceFile, *, label: str | None, label_path: Path | None = None) -> LabelledCounts:
    """Return a file of the scDeepCluster layout; labels are ``cell_type`` where present, else ``Y``.

    ``Y`` may start at 0 or 1 and may be stored as float: it is read as text. Names are taken from ``gene``
    and ``cell`` (or ``gene_names``, ``cell_names``) when they fit.

    Raises:
        DataError: if the file is damaged, or a part is missing or of the wrong length.
    """
    with open_h5(path, source.member) as file:
        matrix = read_matrix(file, source.matrix or "X", path.name)
        labels = None
        if label != NO_LABELS:
            column = choose_column(columns_of(file), label, path.name, usual=("cell_type", "Y"))
            labels = check_length(text_labels(file[column][()]), matrix.shape[0], path.name)
        cells, genes = (_names(file, keys, n) for keys, n in zip((_CELLS, _GENES), matrix.shape, strict=True))
    return LabelledCounts(matrix=matrix, labels=labels, genes=genes, cells=cells)


def _names(file: h5py.File, keys: tuple[str, ...], length: int) -> np.ndarray | None:
    fitting = (key for key in keys if key in file and getattr(file[key], "shape", None) == (length,))
    key = next(fitting, None)
    return None if key is None else text_names(file[key][()])
