"""The old Cell BLAST layout: ``exprs``, ``obs``, ``obs_names``, ``var_names`` (scziDesk and its family)."""

from __future__ import annotations

from pathlib import Path

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers.declared import stored_values
from scbench.data.readers.hdf5 import columns_of, entry, open_h5, read_matrix
from scbench.data.readers.hdf5_columns import column_values
from scbench.data.readers.labels import NO_LABELS, check_length, choose_column, text_labels, text_names
from scbench.data.readers.turning import turned_to_fit

__all__ = ["read"]


def read(path: Path, source: SourceFile, *, label: str | None, label_path: Path | None = None) -> LabelledCounts:
    """Return a file whose ``exprs`` (cells x genes) is a CSR group or a dense dataset; labels
    ``obs/cell_type1``.

    Values need not be whole numbers: rounding is left to the loader.

    Raises:
        DataError: if the file is damaged, or a part is missing or of the wrong length.
    """
    with open_h5(path, source.member) as file:
        matrix = read_matrix(file, source.matrix or "exprs", path.name, source.orientation)
        cells, genes = (
            text_names(stored_values(file[key], path.name)) if key in file else None
            for key in ("obs_names", "var_names")
        )
        matrix, said = turned_to_fit(matrix, cells, genes, f"{path.name}: exprs")
        labels = labels_from = None
        if label != NO_LABELS:
            obs = entry(file, "obs", path.name)
            column = choose_column(columns_of(obs), label, path.name, usual=("cell_type1",))
            values, told = column_values(obs[column], column, path.name)
            labels, labels_from = check_length(text_labels(values), matrix.shape[0], path.name), repr(column)
            said += told
    return LabelledCounts(matrix, labels, genes, cells, said, labels_from)
