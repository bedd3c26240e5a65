"""What the 10x folder and the 10x HDF5 file share."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from scbench.data.labelled import LabelledCounts
from scbench.data.readers.labels import NO_LABELS, check_names
from scbench.errors import DataError

__all__ = ["keep_expression", "refuse_label"]

_EXPRESSION = "Gene Expression"


def keep_expression(
    matrix: csr_matrix, genes: np.ndarray, cells: np.ndarray, kinds: np.ndarray | None, file: str
) -> LabelledCounts:
    """Return the gene-expression features only; ``kinds`` (n_features,) is None where all are.

    Raises:
        DataError: if there is not one name and one kind per feature; ``file`` is named.
    """
    check_names(genes, matrix.shape[1], file, "genes")
    if kinds is not None and len(kinds) != matrix.shape[1]:
        raise DataError(f"{file} has {matrix.shape[1]} genes but {len(kinds)} types of features; export it again")
    if kinds is not None and (kinds == _EXPRESSION).any() and not (kinds == _EXPRESSION).all():
        kept = np.flatnonzero(kinds == _EXPRESSION)
        matrix, genes = csr_matrix(matrix[:, kept]), genes[kept]
    return LabelledCounts(matrix=matrix, labels=None, genes=genes, cells=cells)


def refuse_label(label: str | None, file: str) -> None:
    """Check that no label column is asked for.

    Raises:
        DataError: if one is: a 10x export has none.
    """
    if label not in (None, NO_LABELS):
        raise DataError(
            f"{file} is a 10x export and holds no labels, so there is no column {label!r}; "
            "give dataset.label_path, a csv with the barcodes and the labels"
        )
