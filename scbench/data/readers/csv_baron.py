"""The csv of Baron et al. 2016 (GSE84133): cells in rows, barcode and type before the genes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers.delimited import read_layout, read_numbers
from scbench.data.readers.labels import NO_LABELS, check_length, choose_column, text_labels
from scbench.data.readers.oriented import as_cells

__all__ = ["read"]

_TEXT = ("barcode", "assigned_cluster")


def read(path: Path, source: SourceFile, *, label: str | None, label_path: Path | None = None) -> LabelledCounts:
    """Return UMI counts with the authors' types, column ``assigned_cluster``.

    Raises:
        DataError: if the file or archive member is damaged or missing, or there is no such column.
    """
    table = read_numbers(path, source.member, read_layout(path, source.member, text=_TEXT))
    labels = labels_from = None
    if label != NO_LABELS:
        column = choose_column(list(table.text), label, path.name, usual=("assigned_cluster",))
        labels = check_length(text_labels(table.text[column]), table.matrix.shape[0], path.name)
        labels_from = repr(column)
    counts = as_cells(table, genes_in_rows=False, labels=labels, used=_TEXT)
    return dataclasses.replace(counts, labels_from=labels_from)
