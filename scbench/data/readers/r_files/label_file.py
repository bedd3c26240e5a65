"""A second file with the labels of an R file's cells: another R file, or a csv or tsv."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from scbench.data.readers.annotation import read_annotation
from scbench.data.readers.r_files.descriptions import Descriptions, Words, described
from scbench.data.readers.r_files.matrix import RMatrix
from scbench.data.readers.r_files.objects import load_r, placed

__all__ = ["SUFFIXES", "label_tables"]

SUFFIXES = frozenset({".rda", ".rdata", ".rds"})
"""Of R files, in small letters."""


def label_tables(
    path: Path, label: str | None, matrix: RMatrix, *, genes_in_rows: bool = True
) -> tuple[list[Descriptions], str | None]:
    """Return what the file describes cells with, and the column of the labels.

    Args:
        path: R file, csv or tsv.
        label: the wanted column.
        matrix: the names and sizes of its sides tell whether a file of text has a header.
        genes_in_rows: whether its columns are likelier cells than its rows.

    Raises:
        DataError: if the file cannot be read, or a file of text has no such column.
    """
    if SUFFIXES & {suffix.lower() for suffix in path.suffixes}:
        tables = [described(node, place) for place, node in placed(load_r(path)).items()]
        return [table for table in tables if table is not None], label
    sides = [names for names in (matrix.column_names, matrix.row_names) if names is not None]
    names = np.concatenate(sides) if sides else None
    sizes = matrix.columns.shape
    n_cells, n_genes = sizes if genes_in_rows else sizes[::-1]
    annotation = read_annotation(path, cells=names, n_cells=n_cells, label=label)
    if annotation.n_rows not in sizes:
        annotation = read_annotation(path, cells=names, n_cells=n_genes, label=label)
    columns = {key: Words(words) for key, words in annotation.columns.items()}
    return [Descriptions(path.name, annotation.n_rows, columns)], annotation.label_column(label)
