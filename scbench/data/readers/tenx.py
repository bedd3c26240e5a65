"""What exports without labels share: Matrix Market files and the HDF5 file of 10x."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from scbench.data.labelled import LabelledCounts
from scbench.data.readers.feature_types import gene_features
from scbench.data.readers.labels import NO_LABELS, check_names
from scbench.errors import DataError

__all__ = ["keep_expression", "refuse_label"]


def keep_expression(
    matrix: csr_matrix, genes: np.ndarray, cells: np.ndarray, kinds: np.ndarray | None, file: str
) -> LabelledCounts:
    """Return the features that are genes, with a line on those left out.

    Args:
        matrix: (n_cells, n_features).
        genes: (n_features,) names.
        cells: (n_cells,) names.
        kinds: (n_features,) types of the features, ``""`` where one has none; None when the file has no types.
        file: its name, for messages.

    Raises:
        DataError: if there is not one name and one type per feature, or none is a gene.
    """
    check_names(genes, matrix.shape[1], file, "genes")
    if kinds is None:
        return LabelledCounts(matrix=matrix, labels=None, genes=genes, cells=cells)
    if len(kinds) != matrix.shape[1]:
        raise DataError(f"{file} has {matrix.shape[1]} genes but {len(kinds)} types of features; export it again")
    is_gene, said = gene_features(kinds, file)
    if not is_gene.all():
        matrix, genes = csr_matrix(matrix[:, np.flatnonzero(is_gene)]), genes[is_gene]
    return LabelledCounts(matrix=matrix, labels=None, genes=genes, cells=cells, warnings=said)


def refuse_label(label: str | None, file: str, kind: str = "a 10x export") -> None:
    """Check that no label column is asked for.

    Raises:
        DataError: if one is: such a file has none; ``kind`` says what it is.
    """
    if label not in (None, NO_LABELS):
        raise DataError(
            f"{file} is {kind} and holds no labels, so there is no column {label!r}; "
            "give dataset.label_path, a csv with the barcodes and the labels"
        )
