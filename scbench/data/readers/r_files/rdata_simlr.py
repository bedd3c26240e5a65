"""The R files of SIMLR: a list ``Test_<k>_<set>`` with ``in_X`` (genes x cells, log) and ``true_labs``."""

from __future__ import annotations

from pathlib import Path

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers.labels import NO_LABELS
from scbench.data.readers.orientation import CELLS_BY_GENES
from scbench.data.readers.r_files.descriptions import vector_of
from scbench.data.readers.r_files.labels import labelled
from scbench.data.readers.r_files.matrix import matrix_of
from scbench.data.readers.r_files.objects import find, load_r

__all__ = ["read"]


def read(path: Path, source: SourceFile, *, label: str | None, label_path: Path | None = None) -> LabelledCounts:
    """Return the matrix ``in_X`` with the labels ``true_labs``, a data frame of one column.

    Raises:
        DataError: if the file cannot be read, an element is missing, or names or numbers do not fit.
    """
    objects, file = load_r(path), path.name
    name, wanted = source.matrix or "in_X", label or "true_labs"
    matrix = matrix_of(find(objects, name, file), name, file)
    counts = matrix.counts(genes_in_rows=source.orientation != CELLS_BY_GENES)
    if label == NO_LABELS:
        return counts
    table = vector_of(find(objects, wanted, file), wanted, file)
    return labelled(counts, [table], None, file, by_order=source.label_order == "file")
