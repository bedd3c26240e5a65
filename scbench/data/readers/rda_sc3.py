"""The R file of SC3 and scmap: a genes x cells data frame and ``ann`` with ``cell_type1``."""

from __future__ import annotations

from pathlib import Path

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers.labels import NO_LABELS, check_length, choose_column
from scbench.data.readers.r_objects import find, load_r, matrix_of, vector_of

__all__ = ["read"]

_ANNOTATION = "ann"


def read(path: Path, source: SourceFile, *, label: str | None, label_path: Path | None = None) -> LabelledCounts:
    """Return the object ``source.matrix`` (default: the one beside ``ann``) with the labels
    ``ann$cell_type1``.

    Raises:
        DataError: if the file cannot be read, an object or column is missing, or the numbers differ.
    """
    objects = load_r(path)
    name = source.matrix or next((key for key in objects if key != _ANNOTATION), "counts")
    matrix, genes, cells = matrix_of(find(objects, name, path.name), name, path.name)
    labels = None
    if label != NO_LABELS:
        frame = find(objects, _ANNOTATION, path.name)
        columns = {str(key): frame[key] for key in getattr(frame, "columns", ())}
        column = choose_column(columns, label, path.name, usual=("cell_type1",))
        labels = check_length(vector_of(columns[column].to_numpy(), column, path.name), matrix.shape[0], path.name)
    return LabelledCounts(matrix=matrix, labels=labels, genes=genes, cells=cells)
