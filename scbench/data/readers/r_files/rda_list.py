"""R files with a named list that holds a genes x cells matrix and a vector of labels."""

from __future__ import annotations

from pathlib import Path

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers.labels import NO_LABELS
from scbench.data.readers.orientation import CELLS_BY_GENES
from scbench.data.readers.r_files.descriptions import vector_of
from scbench.data.readers.r_files.label_file import label_tables
from scbench.data.readers.r_files.labels import labelled
from scbench.data.readers.r_files.matrix import matrix_of
from scbench.data.readers.r_files.objects import find, load_r

__all__ = ["read"]

_MATRIX = "data"
_LABEL = "label"


def read(path: Path, source: SourceFile, *, label: str | None, label_path: Path | None = None) -> LabelledCounts:
    """Return the matrix ``source.matrix`` (default ``data``) with the labels in the element ``label``.

    With ``label_path``, another R file or a csv, the labels are a column of the table that it holds. Where both sides
    have names, labels belong to the cells of their names.

    Raises:
        DataError: if a file cannot be read, an element is missing, or names or numbers do not fit.
    """
    objects = load_r(path)
    name, file = source.matrix or _MATRIX, path.name
    matrix = matrix_of(find(objects, name, file), name, file)
    counts = matrix.counts(genes_in_rows=source.orientation != CELLS_BY_GENES)
    if label == NO_LABELS:
        return counts
    by_order = source.label_order == "file"
    if label_path is not None:
        tables, label = label_tables(label_path, label, matrix, genes_in_rows=source.orientation != CELLS_BY_GENES)
        return labelled(counts, tables, label, label_path.name, by_order=by_order, is_second=True)
    wanted = label or _LABEL
    return labelled(counts, [vector_of(find(objects, wanted, file), wanted, file)], None, file, by_order=by_order)
