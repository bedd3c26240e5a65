"""Labels that cannot be types of cells, or that came in among the genes."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from scipy.sparse import csc_matrix, csr_matrix

from scbench.errors import DataError

__all__ = ["check_types", "copies_of_labels"]

_FEW = 5  # cells of each type that a gene has to agree on before all are looked at
_LEAST_CELLS = 20  # below, a gene may follow the types by chance
_NAME_AT_MOST = 5


def check_types(labels: np.ndarray, name: str) -> list[str]:
    """Return warnings on the types: most have one cell, or some differ only in the case of their letters.

    Args:
        labels: (n_cells,) str, none missing.
        name: of the dataset.

    Raises:
        DataError: when every cell has a label of its own.
    """
    types, sizes = np.unique(labels, return_counts=True)
    if 2 < len(types) == len(labels):  # two cells of two types can be meant
        raise DataError(
            f"dataset {name}: each of its {len(labels)} cells has a label of its own (the first: {str(labels[0])!r}), "
            "so these are names of cells and no types; set dataset.label to the column of the types"
        )
    lines = []
    n_single = int((sizes == 1).sum())
    if len(labels) > 2 and n_single > len(types) / 2:
        lines.append(
            f"dataset {name}: {n_single} of {len(types)} types have one cell only; check that dataset.label is the "
            "column of the types"
        )
    spellings = defaultdict(list)
    for label in types:
        spellings[str(label).casefold()].append(str(label))
    doubled = [words for words in spellings.values() if len(words) > 1]
    if doubled:
        shown = "; ".join(" and ".join(map(repr, words)) for words in doubled[:_NAME_AT_MOST])
        lines.append(
            f"dataset {name}: {sum(map(len, doubled))} types differ only in case ({shown}) and count as different; "
            "spell them alike when they are not"
        )
    return lines


def copies_of_labels(matrix: csr_matrix, labels: np.ndarray) -> np.ndarray:
    """Return the genes whose values are one to one with the labels: codes of the types that passed for a gene.

    Args:
        matrix: (n_cells, n_genes) CSR without stored zeros.
        labels: (n_cells,) str.

    Returns:
        (n_found,) int64 positions of genes; none for fewer than 20 cells or two types.
    """
    codes = np.unique(labels, return_inverse=True)[1]
    n_types = int(codes.max()) + 1
    if len(labels) < _LEAST_CELLS or n_types < 2:
        return np.empty(0, dtype=np.int64)
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(n_types))
    sizes = np.diff(np.append(starts, len(labels)))
    possible = np.ones(matrix.shape[1], dtype=bool)
    first = matrix[order[starts]].toarray()
    for step in range(1, _FEW):
        other = matrix[order[starts + np.minimum(step, sizes - 1)]].toarray()
        possible &= (other == first).all(axis=0)
    ordered = np.sort(first, axis=0)
    possible &= (np.diff(ordered, axis=0) > 0).all(axis=0)
    candidates = np.flatnonzero(possible)
    if not len(candidates):
        return candidates
    columns = csc_matrix(matrix[:, candidates])
    return np.array(
        [gene for i, gene in enumerate(candidates) if (columns[:, [i]].toarray().ravel() == first[codes, gene]).all()],
        dtype=np.int64,
    )
