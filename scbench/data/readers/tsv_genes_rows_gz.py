"""The tables of the batch benchmark of Tran et al. 2020: genes in rows, written by R, and a sample file."""

from __future__ import annotations

from pathlib import Path

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers.delimited import read_layout, read_numbers
from scbench.data.readers.labels import NO_LABELS
from scbench.data.readers.oriented import as_cells, with_label_file
from scbench.errors import DataError

__all__ = ["read"]


def read(path: Path, source: SourceFile, *, label: str | None, label_path: Path | None = None) -> LabelledCounts:
    """Return a tab-separated genes x cells table; labels are the column ``celltype`` of the sample file.

    Raises:
        DataError: if a file is damaged or the sample file is missing or does not fit.
    """
    table = read_numbers(path, source.member, read_layout(path, source.member))
    if label == NO_LABELS:
        return as_cells(table, genes_in_rows=True)
    if label_path is None:
        raise DataError(f"{path.name} holds no labels; give its sample file, or set dataset.label={NO_LABELS}")
    return with_label_file(table, label_path, label, source, in_rows=True)
