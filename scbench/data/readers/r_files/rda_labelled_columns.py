"""R files with a genes x cells matrix whose column names carry the labels."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers.labels import NO_LABELS, text_labels
from scbench.data.readers.orientation import CELLS_BY_GENES
from scbench.data.readers.r_files.matrix import matrix_of
from scbench.data.readers.r_files.objects import find, load_r
from scbench.errors import DataError

__all__ = ["read"]


def read(path: Path, source: SourceFile, *, label: str | None, label_path: Path | None = None) -> LabelledCounts:
    """Return the matrix ``source.matrix`` (default: the only object), labelled by its column names.

    ``label`` is a regular expression searched in each column name; its first group is the label. None takes
    the whole name. A name that does not match has no label.

    Raises:
        DataError: if the file cannot be read, the matrix has no column names, or the expression is wrong or
            matches no column.
    """
    objects = load_r(path)
    if source.matrix is None and len(objects) != 1:
        raise DataError(f"{path.name} holds {len(objects)} objects ({', '.join(objects)}); name the matrix")
    name = source.matrix or next(iter(objects))
    matrix = matrix_of(find(objects, name, path.name), name, path.name)
    counts = matrix.counts(genes_in_rows=source.orientation != CELLS_BY_GENES)
    if label == NO_LABELS:
        return counts
    if counts.cells is None:
        raise DataError(f"{path.name}: the matrix {name!r} has no column names, so there are no labels")
    labels = _labels(counts.cells, label, path.name)
    return dataclasses.replace(counts, labels=labels, labels_from=f"the column names of {name}")


def _labels(cells: np.ndarray, pattern: str | None, file: str) -> np.ndarray:
    if pattern is None:
        return text_labels(cells)
    try:
        matches = [re.search(pattern, cell) for cell in cells]
        labels = [None if match is None else match.group(1) for match in matches]
    except (re.error, IndexError) as error:
        raise DataError(f"{file}: {pattern!r} is not a regular expression with a group: {error}") from error
    if not any(labels):
        raise DataError(f"{file}: {pattern!r} matches no column name; the first is {cells[0]!r}")
    return text_labels(labels)
