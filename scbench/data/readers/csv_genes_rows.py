"""Two csv layouts with genes in rows: GraphSCC's, and ``data.csv`` with ``label.csv`` (DeepCCI, scCAGN)."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import numpy as np

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers.annotation import read_labels
from scbench.data.readers.damage import readable
from scbench.data.readers.delimited import Layout, read_layout, read_numbers, separator_of
from scbench.data.readers.labels import NO_LABELS, check_length, choose_column, text_labels, text_names
from scbench.data.readers.oriented import as_cells, with_label_file
from scbench.data.readers.packed import open_text
from scbench.errors import DataError

__all__ = ["read"]

_LABEL_ROWS = ("sample_labels", "cell_label", "cluster_labels")


def read(path: Path, source: SourceFile, *, label: str | None, label_path: Path | None = None) -> LabelledCounts:
    """Return a csv with genes in rows.

    - GraphSCC: no header; the first lines are ``sample_labels``, ``cell_label`` (the truth, read by default)
      and ``cluster_labels`` (a Seurat result), then one gene per line.
    - Otherwise a header, row names and a second file with the labels. Whether rows are genes is then decided
      by the names and the number of the labels, since copies of Yan are described both ways.

    Raises:
        DataError: if a file is damaged, or the labels are missing or do not fit.
    """
    head = _label_rows(path, source.member)
    if head:
        return _graphscc(path, source, head, label, label_path)
    table = read_numbers(path, source.member, read_layout(path, source.member))
    if label == NO_LABELS:
        return as_cells(table, genes_in_rows=True)
    if label_path is None:
        raise DataError(f"{path.name} holds no labels; give the file that does, or set dataset.label={NO_LABELS}")
    return with_label_file(table, label_path, label, source)


def _label_rows(path: Path, member: str | None) -> dict[str, list[str]]:
    """Return the lines of labels at the head of a GraphSCC file; empty for another layout."""
    rows: dict[str, list[str]] = {}
    with open_text(path, member) as stream, readable(path, "a table"):
        for line in stream:
            name, *fields = next(csv.reader([line], delimiter=separator_of(line)))
            if name not in _LABEL_ROWS:
                break
            rows[name] = fields
    return rows


def _graphscc(
    path: Path, source: SourceFile, head: dict[str, list[str]], label: str | None, label_path: Path | None
) -> LabelledCounts:
    width = len(next(iter(head.values())))
    layout = Layout(separator=",", columns=tuple(str(i) for i in range(width + 1)), text=(0,), skip=len(head))
    counts = dataclasses.replace(as_cells(read_numbers(path, source.member, layout), genes_in_rows=True), cells=None)
    if label == NO_LABELS:
        return counts
    n_cells = counts.matrix.shape[0]
    if label_path is not None:
        by_order = source.label_order == "file"
        labels, column, said = read_labels(label_path, label, n_cells=n_cells, cells=None, by_order=by_order)
        return dataclasses.replace(counts, labels=labels, labels_from=column, warnings=(*counts.warnings, *said))
    column = choose_column(head, label, path.name, usual=("cell_label",))
    labels = check_length(text_labels(_numbers_as_text(head[column])), n_cells, path.name)
    return dataclasses.replace(counts, labels=labels, labels_from=repr(column))


def _numbers_as_text(fields: list[str]) -> np.ndarray:
    """Return codes without a trailing ``.0``, which some of these files write."""
    return text_names(field.removesuffix(".0") for field in fields)
