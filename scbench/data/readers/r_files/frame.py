"""Data frames of R that hold counts beside columns that describe their rows."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy.sparse import csr_matrix

from scbench.data.labelled import LabelledCounts
from scbench.data.readers.descriptions import is_description, is_gene_description
from scbench.data.readers.r_files.descriptions import Descriptions

__all__ = ["without_descriptions"]

_LIST_AT_MOST = 10


def without_descriptions(
    counts: LabelledCounts, frame: Descriptions, genes_in_rows: bool, label: str | None, file: str
) -> LabelledCounts:
    """Return counts without the columns of a data frame that describe its rows, with a warning that names these.

    They are told by their names, and by text; a first column of text gave the names of the rows.

    Args:
        counts: cells x genes of all columns of numbers, without labels.
        frame: the data frame.
        genes_in_rows: whether its rows are genes.
        label: the column that holds the labels, when it is one of the data frame.
        file: for messages.
    """
    headers = counts.cells if genes_in_rows else counts.genes
    assert headers is not None
    describes = is_gene_description if genes_in_rows else is_description
    is_kept = np.array([header != label and not describes(header) for header in headers], dtype=bool)
    words = [key for i, (key, column) in enumerate(frame.columns.items()) if column.is_text and i > 0]
    left_out = [header for header in (*headers[~is_kept], *words) if header != label]
    if left_out:
        n, more = len(left_out), ", ..." if len(left_out) > _LIST_AT_MOST else ""
        told = "1 column describes rows and is" if n == 1 else f"{n} columns describe rows and are"
        line = f"{file}: {told} left out: {', '.join(left_out[:_LIST_AT_MOST])}{more}"
        counts = dataclasses.replace(counts, warnings=(*counts.warnings, line))
    if is_kept.all():
        return counts
    if not genes_in_rows:
        return dataclasses.replace(counts, matrix=csr_matrix(counts.matrix[:, is_kept]), genes=headers[is_kept])
    return dataclasses.replace(counts, matrix=csr_matrix(counts.matrix[is_kept]), cells=headers[is_kept])
