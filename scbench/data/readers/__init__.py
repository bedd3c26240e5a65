"""Readers of data files: one module per format, imported when it is used."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, cast

from scbench.data.config import SourceFile
from scbench.errors import DataError
from scbench.names import unknown

if TYPE_CHECKING:
    from scbench.data.labelled import LabelledCounts
    from scbench.data.readers.protocol import Reader

__all__ = ["READERS", "code_of", "read", "reader_for"]

READERS: dict[str, str] = {
    "csv_baron": "csv_baron",
    "csv_genes_rows": "csv_genes_rows",
    "csv_mixology": "csv_mixology",
    "h5ad": "h5ad",
    "h5ad_old": "h5ad_old",
    "h5mu": "h5mu",
    "loom": "loom",
    "mtx_10x": "matrix_market.reader",
    "pbmc68k_reduced": "pbmc68k_reduced",
    "quake_h5": "quake_h5",
    "r_file": "r_files.reader",
    "rda_cds": "r_files.reader",
    "rda_labelled_columns": "r_files.rda_labelled_columns",
    "rda_list": "r_files.rda_list",
    "rda_sc3": "r_files.rda_sc3",
    "rda_sce": "r_files.reader",
    "rdata_simlr": "r_files.rdata_simlr",
    "rds_sce": "r_files.reader",
    "table": "table",
    "tenx_h5": "tenx_h5",
    "tsv_genes_rows_gz": "tsv_genes_rows_gz",
    "xy_h5": "xy_h5",
    "zarr": "zarr_store",
}
"""Name of a format -> module of this package that reads it."""

_R_OBJECTS = ("r_file", "rda_cds", "rda_list", "rda_sce", "rds_sce")
_USE_THE_LABEL_FILE = frozenset({"csv_genes_rows", "csv_mixology", "table", "tsv_genes_rows_gz", *_R_OBJECTS})
_SAY_THEMSELVES = frozenset(
    {"csv_baron", "csv_mixology", "pbmc68k_reduced", "rda_labelled_columns", "rda_sc3", "rdata_simlr", "tenx_h5"}
)


def read(path: Path, source: SourceFile, *, label: str | None, label_path: Path | None = None) -> LabelledCounts:
    """Return what a file holds, with values as stored.

    Args:
        path: the file, or the folder of a 10x export.
        source: its description; ``reader``, ``member``, ``matrix``, ``modality``, ``orientation``, ``label`` and
            ``label_order`` are used.
        label: column that holds the labels; None means ``source.label``, or else the format's usual column;
            ``none`` reads no labels.
        label_path: a second file with the labels, read in place of those of the first.

    Raises:
        DataError: if the reader is unknown, the file cannot be read, the label column is missing, or the
            number of labels, of names of cells or of names of genes does not fit the matrix.
    """
    module = _reader(source.reader)
    if source.orientation is not None and source.reader in _SAY_THEMSELVES:
        raise DataError(f"the format {source.reader} says what is in its rows; leave dataset.orientation out")
    wanted = label if label is not None else source.label
    is_said = source.orientation is not None
    if label_path is None or wanted == "none" or source.reader in _USE_THE_LABEL_FILE:
        return _checked(module.read(path, source, label=wanted, label_path=label_path), path.name, is_said=is_said)
    from scbench.data.readers.annotation import read_labels

    counts = _checked(module.read(path, source, label="none", label_path=None), path.name, is_said=is_said)
    labels, labels_from, said = read_labels(
        label_path,
        wanted,
        n_cells=counts.matrix.shape[0],
        cells=counts.cells,
        by_order=source.label_order == "file",
        also=counts.also_named,
    )
    return dataclasses.replace(counts, labels=labels, labels_from=labels_from, warnings=(*counts.warnings, *said))


def _reader(name: str) -> Reader:
    """Return a reader of this package, or else of another.

    Raises:
        DataError: when there is none of that name, or it cannot be imported.
    """
    if name in READERS:
        return cast("Reader", importlib.import_module(f"{__name__}.{READERS[name]}"))
    from scbench.data.readers.protocol import other_reader, other_readers

    others = other_readers()
    if name not in others:
        raise DataError(unknown("reader", name, [*READERS, *others]))
    return other_reader(others[name])


def code_of(name: str) -> str:
    """Return a hash of the code of another package's reader, so that a parsed copy never outlives a change of it."""
    if name in READERS:
        return ""
    source = getattr(_reader(name), "__file__", None)
    return hashlib.sha256(Path(source).read_bytes()).hexdigest() if source else ""


def _checked(counts: LabelledCounts, file: str, *, is_said: bool) -> LabelledCounts:
    """Return what a reader read when its names fit the matrix, and cells are not called as genes and genes as cells.

    Args:
        counts: what was read.
        file: for messages.
        is_said: whether the user says what is in the rows.
    """
    from scbench.data.readers.labels import check_names
    from scbench.data.readers.orientation import kind_of, looks_turned

    check_names(counts.cells, counts.matrix.shape[0], file, "cells")
    check_names(counts.genes, counts.matrix.shape[1], file, "genes")
    if not is_said and kind_of(counts.cells) == "genes" and kind_of(counts.genes) == "cells":
        raise looks_turned(file, counts.cells, counts.genes)
    return counts


def reader_for(path: Path) -> str:
    """Return the name of the reader for a user's file, from its name and, for ``.h5``, from its content.

    Raises:
        DataError: if the file is missing or its format cannot be told.
    """
    from scbench.data.readers.sniff import format_of

    return format_of(path)
