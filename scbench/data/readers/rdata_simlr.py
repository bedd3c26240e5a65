"""The R files of SIMLR: a list ``Test_<k>_<set>`` with ``in_X`` (genes x cells, log) and ``true_labs``."""

from __future__ import annotations

from pathlib import Path

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers.labels import NO_LABELS, check_length
from scbench.data.readers.r_objects import find, load_r, matrix_of, vector_of

__all__ = ["read"]


def read(path: Path, source: SourceFile, *, label: str | None, label_path: Path | None = None) -> LabelledCounts:
    """Return the matrix ``in_X`` with the labels ``true_labs``, a data frame of one column.

    Raises:
        DataError: if the file cannot be read, an element is missing, or the numbers differ.
    """
    objects = load_r(path)
    name, labelled = source.matrix or "in_X", label or "true_labs"
    matrix, genes, cells = matrix_of(find(objects, name, path.name), name, path.name)
    labels = None
    if label != NO_LABELS:
        labels = vector_of(find(objects, labelled, path.name), labelled, path.name)
        labels = check_length(labels, matrix.shape[0], path.name)
    return LabelledCounts(matrix=matrix, labels=labels, genes=genes, cells=cells)
