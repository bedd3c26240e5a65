"""Loom: HDF5 with ``matrix`` (genes x cells), ``row_attrs`` and ``col_attrs``."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers.declared import stored_values
from scbench.data.readers.hdf5 import columns_of, entry, open_h5, read_matrix
from scbench.data.readers.hdf5_columns import column_values
from scbench.data.readers.labels import NO_LABELS, check_length, choose_column, text_labels, text_names
from scbench.data.readers.orientation import GENES_BY_CELLS
from scbench.data.readers.turning import turned_to_fit

__all__ = ["read"]

_GENES = ("Gene", "gene_names", "var_names", "Accession")
_CELLS = ("CellID", "cell_names", "obs_names")


def read(path: Path, source: SourceFile, *, label: str | None, label_path: Path | None = None) -> LabelledCounts:
    """Return a loom file as cells x genes; ``source.matrix`` may name one of its ``layers``.

    The matrix is genes x cells, unless ``source.orientation`` says otherwise.

    Raises:
        DataError: if the file is damaged, or a part is missing or of the wrong length.
    """
    with open_h5(path, source.member) as file:
        name = "matrix" if source.matrix in (None, "matrix") else f"layers/{source.matrix}"
        matrix = read_matrix(file, name, path.name, source.orientation or GENES_BY_CELLS)
        of_cells = entry(file, "col_attrs", path.name)
        of_genes = entry(file, "row_attrs", path.name)
        cells, genes = _names(of_cells, _CELLS, path.name), _names(of_genes, _GENES, path.name)
        matrix, said = turned_to_fit(matrix, cells, genes, f"{path.name}: {name} (turned)")
        labels = labels_from = None
        if label != NO_LABELS:
            column = choose_column(columns_of(of_cells), label, path.name, usual=("CellType", "ClusterName"))
            values, told = column_values(of_cells[column], column, path.name)
            labels, labels_from = check_length(text_labels(values), matrix.shape[0], path.name), repr(column)
            said += told
    return LabelledCounts(matrix, labels, genes, cells, said, labels_from)


def _names(group: h5py.Group, keys: tuple[str, ...], file: str) -> np.ndarray | None:
    key = next((key for key in keys if key in group), None)
    return None if key is None else text_names(stored_values(group[key], file))
