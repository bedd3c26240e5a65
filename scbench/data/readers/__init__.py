"""Readers of data files: one module per format, imported when it is used."""

from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.errors import DataError
from scbench.names import unknown

__all__ = ["READERS", "read", "reader_for"]

READERS: dict[str, str] = {
    "csv_baron": "csv_baron",
    "csv_genes_rows": "csv_genes_rows",
    "csv_mixology": "csv_mixology",
    "h5ad": "h5ad",
    "h5ad_old": "h5ad_old",
    "loom": "loom",
    "mtx_10x": "mtx_10x",
    "pbmc68k_reduced": "pbmc68k_reduced",
    "quake_h5": "quake_h5",
    "rda_cds": "r_s4",
    "rda_labelled_columns": "rda_labelled_columns",
    "rda_list": "rda_list",
    "rda_sc3": "rda_sc3",
    "rda_sce": "r_s4",
    "rdata_simlr": "rdata_simlr",
    "rds_sce": "r_s4",
    "table": "table",
    "tenx_h5": "tenx_h5",
    "tsv_genes_rows_gz": "tsv_genes_rows_gz",
    "xy_h5": "xy_h5",
}
"""Name of a format -> module of this package that reads it."""

_USE_THE_LABEL_FILE = frozenset({"csv_genes_rows", "csv_mixology", "rda_list", "table", "tsv_genes_rows_gz"})


def read(path: Path, source: SourceFile, *, label: str | None, label_path: Path | None = None) -> LabelledCounts:
    """Return what a file holds, with values as stored.

    Args:
        path: the file, or the folder of a 10x export.
        source: its description; ``reader``, ``member``, ``matrix`` and ``label`` are used.
        label: column that holds the labels; None means ``source.label``, or else the format's usual column;
            ``none`` reads no labels.
        label_path: a second file with the labels, read in place of those of the first.

    Raises:
        DataError: if the reader is unknown, the file cannot be read, the label column is missing, or the
            number of labels, of names of cells or of names of genes does not fit the matrix.
    """
    if source.reader not in READERS:
        raise DataError(unknown("reader", source.reader, READERS))
    module = importlib.import_module(f"{__name__}.{READERS[source.reader]}")
    wanted = label if label is not None else source.label
    if label_path is None or wanted == "none" or source.reader in _USE_THE_LABEL_FILE:
        return _checked(module.read(path, source, label=wanted, label_path=label_path), path.name)
    from scbench.data.readers.annotation import read_labels

    counts = _checked(module.read(path, source, label="none", label_path=None), path.name)
    labels = read_labels(label_path, wanted, n_cells=counts.matrix.shape[0], cells=counts.cells)
    return dataclasses.replace(counts, labels=labels)


def _checked(counts: LabelledCounts, file: str) -> LabelledCounts:
    """Return what a reader read when its names fit the matrix."""
    from scbench.data.readers.labels import check_names

    check_names(counts.cells, counts.matrix.shape[0], file, "cells")
    check_names(counts.genes, counts.matrix.shape[1], file, "genes")
    return counts


def reader_for(path: Path) -> str:
    """Return the name of the reader for a user's file, from its name and, for ``.h5``, from its content.

    Raises:
        DataError: if the file is missing or its format cannot be told.
    """
    from scbench.data.readers.sniff import format_of

    return format_of(path)
