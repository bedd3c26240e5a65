"""The sc_mixology (CellBench) csv pair: counts with genes in rows, and metadata with a row per cell."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers.annotation import Annotation, read_annotation
from scbench.data.readers.delimited import read_layout, read_numbers
from scbench.data.readers.labels import NO_LABELS, choose_column, text_labels
from scbench.data.readers.oriented import as_cells
from scbench.errors import DataError

__all__ = ["read"]

_USUAL = ("cell_line", "cell_line_demuxlet")
_SINGLET = "SNG"


def read(path: Path, source: SourceFile, *, label: str | None, label_path: Path | None = None) -> LabelledCounts:
    """Return the cells that demuxlet calls singlets, with the cell line as label.

    ``label_path`` is the metadata file; its rows are matched to the cells by name. The label is
    ``cell_line``, else ``cell_line_demuxlet``; RNA mixtures have neither, there it is the designed
    proportions (columns ``*_prop``) joined by ``_``. Doublets are dropped even when no labels are read, as
    long as there is a metadata file.

    Raises:
        DataError: if a file is damaged, the metadata file is missing, or the label column is not in it.
    """
    counts = as_cells(read_numbers(path, source.member, read_layout(path, source.member)), genes_in_rows=True)
    if label_path is None:
        if label != NO_LABELS:
            raise DataError(f"{path.name} holds no labels; give the metadata csv beside it, or dataset.label=none")
        return counts
    metadata = read_annotation(label_path, cells=counts.cells, by_order=source.label_order == "file")
    pairing = metadata.pair(counts.matrix.shape[0], counts.cells, "demuxlet_cls")
    counts = dataclasses.replace(counts, warnings=(*counts.warnings, *([] if pairing.said is None else [pairing.said])))
    labels = None if label == NO_LABELS else text_labels(pairing.take(_labels(metadata, label)))
    if "demuxlet_cls" not in metadata.columns:
        return dataclasses.replace(counts, labels=labels)
    calls = pairing.take(metadata.columns["demuxlet_cls"])
    kept = np.flatnonzero(calls == _SINGLET)
    return dataclasses.replace(
        counts,
        matrix=csr_matrix(counts.matrix[kept]),
        labels=None if labels is None else labels[kept],
        cells=None if counts.cells is None else counts.cells[kept],
    )


def _labels(metadata: Annotation, label: str | None) -> np.ndarray:
    proportions = [name for name in metadata.columns if name.endswith("_prop")]
    if label is None and proportions and not any(name in metadata.columns for name in _USUAL):
        parts = [metadata.columns[name].astype(float).astype(str) for name in proportions]
        return text_labels("_".join(row) for row in zip(*parts, strict=True))
    return text_labels(metadata.columns[choose_column(metadata.columns, label, metadata.file, usual=_USUAL)])
