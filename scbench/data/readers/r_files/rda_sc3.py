"""The R file of SC3 and scmap: a genes x cells data frame and ``ann`` with ``cell_type1``."""

from __future__ import annotations

from pathlib import Path

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers.labels import NO_LABELS
from scbench.data.readers.orientation import CELLS_BY_GENES
from scbench.data.readers.r_files.descriptions import table_of
from scbench.data.readers.r_files.labels import labelled
from scbench.data.readers.r_files.matrix import matrix_of
from scbench.data.readers.r_files.objects import find, load_r

__all__ = ["read"]

_ANNOTATION = "ann"


def read(path: Path, source: SourceFile, *, label: str | None, label_path: Path | None = None) -> LabelledCounts:
    """Return the object ``source.matrix`` (default: the one beside ``ann``) with the labels ``ann$cell_type1``.

    A row of ``ann`` belongs to the cell of its name.

    Raises:
        DataError: if the file cannot be read, an object or column is missing, or names or numbers do not fit.
    """
    objects, file = load_r(path), path.name
    name = source.matrix or next((key for key in objects if key != _ANNOTATION), "counts")
    matrix = matrix_of(find(objects, name, file), name, file)
    counts = matrix.counts(genes_in_rows=source.orientation != CELLS_BY_GENES)
    if label == NO_LABELS:
        return counts
    table = table_of(find(objects, _ANNOTATION, file), _ANNOTATION, file)
    return labelled(counts, [table], label, file, usual=("cell_type1",), by_order=source.label_order == "file")
