"""R files with a named list that holds a genes x cells matrix and a vector of labels."""

from __future__ import annotations

from pathlib import Path

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers.labels import NO_LABELS, check_length, choose_column
from scbench.data.readers.r_objects import find, load_r, matrix_of, vector_of

__all__ = ["read"]

_MATRIX = "data"
_LABEL = "label"


def read(path: Path, source: SourceFile, *, label: str | None, label_path: Path | None = None) -> LabelledCounts:
    """Return the matrix ``source.matrix`` (default ``data``) with the labels in the element ``label``.

    With ``label_path``, another R file, the labels are a column of the data frame that it holds, in the order
    of the cells.

    Raises:
        DataError: if a file cannot be read, an element is missing, or the numbers differ.
    """
    objects = load_r(path)
    name = source.matrix or _MATRIX
    matrix, genes, cells = matrix_of(find(objects, name, path.name), name, path.name)
    labels = None
    if label != NO_LABELS:
        if label_path is None:
            labels = vector_of(find(objects, label or _LABEL, path.name), label or _LABEL, path.name)
        else:
            frames = [item for item in load_r(label_path).values() if hasattr(item, "columns")]
            columns = {str(key): frame[key] for frame in frames for key in frame.columns}
            column = choose_column(columns, label, label_path.name)
            labels = vector_of(columns[column].to_numpy(), column, label_path.name)
        labels = check_length(labels, matrix.shape[0], path.name)
    return LabelledCounts(matrix=matrix, labels=labels, genes=genes, cells=cells)
