"""The folder that 10x Cell Ranger writes: matrix, features (or genes) and barcodes, gzipped or not."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from scipy.io import mmread
from scipy.sparse import csr_matrix

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers.damage import readable
from scbench.data.readers.labels import text_names
from scbench.data.readers.packed import open_text
from scbench.data.readers.tenx import keep_expression, refuse_label
from scbench.errors import DataError

__all__ = ["matrix_file", "read"]


def read(path: Path, source: SourceFile, *, label: str | None, label_path: Path | None = None) -> LabelledCounts:
    """Return a 10x folder (or the folder of a given ``.mtx``) as cells x genes; labels come from a second
    file.

    A common prefix of the file names (``GSM1_matrix.mtx.gz``) is allowed. Gene names are the second column of
    the features file; features other than ``Gene Expression`` are left out.

    Raises:
        DataError: if one of the three files is missing or damaged, their sizes differ, or a label column is
            asked for.
    """
    refuse_label(label, path.name)
    found = matrix_file(path)
    if found is None:
        raise DataError(f"{path} holds no matrix.mtx or matrix.mtx.gz, or several; name the folder of a 10x export")
    prefix = found.name[: found.name.index("matrix.mtx")]
    features = _rows(_beside(found, prefix, ("features.tsv", "genes.tsv")))
    barcodes = _rows(_beside(found, prefix, ("barcodes.tsv",)))
    with readable(found, "a Matrix Market file"):
        stored = mmread(found, spmatrix=True)
        if stored.shape != (len(features), len(barcodes)):
            raise DataError(
                f"{found.name} is {stored.shape[0]} x {stored.shape[1]} but there are {len(features)} "
                f"features and {len(barcodes)} barcodes; take the three files from one export"
            )
        matrix = csr_matrix(stored.T, dtype=np.float32)
    genes = text_names([row[1] if len(row) > 1 else row[0] for row in features])
    kinds = text_names([row[2] for row in features]) if all(len(row) > 2 for row in features) else None
    return keep_expression(matrix, genes, text_names([row[0] for row in barcodes]), kinds, path.name)


def matrix_file(path: Path) -> Path | None:
    """Return the one ``*matrix.mtx[.gz]`` of a folder, the file itself when that is given, or None."""
    if path.is_file():
        return path if "matrix.mtx" in path.name else None
    found = sorted(path.glob("*matrix.mtx")) or sorted(path.glob("*matrix.mtx.gz"))
    return found[0] if len(found) == 1 else None


def _beside(matrix: Path, prefix: str, names: tuple[str, ...]) -> Path:
    for name in names:
        for suffix in ("", ".gz"):
            file = matrix.with_name(f"{prefix}{name}{suffix}")
            if file.is_file():
                return file
    raise DataError(
        f"{matrix.parent} has no {' or '.join(prefix + name for name in names)} (or .gz) beside {matrix.name}"
    )


def _rows(path: Path) -> list[list[str]]:
    with open_text(path) as stream:
        return [row for row in csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE) if row]
