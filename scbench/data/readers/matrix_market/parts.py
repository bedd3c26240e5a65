"""The three parts of an alevin-fry matrix in USA mode: spliced, unspliced and ambiguous counts side by side."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from scbench.errors import DataError

__all__ = ["is_usa", "take_parts"]

_PARTS = {"spliced": (0,), "unspliced": (1,), "ambiguous": (2,), "all": (0, 1, 2)}
_OF_CELLS = (0, 2)


def is_usa(genes: np.ndarray) -> bool:
    """Return whether names of genes come three times: as they are, with ``-U`` and with ``-A``."""
    n_genes, rest = divmod(len(genes), 3)
    if rest or not n_genes:
        return False
    spliced = genes[:n_genes]
    return all(
        part == [f"{gene}{mark}" for gene in spliced]
        for part, mark in ((genes[n_genes : 2 * n_genes].tolist(), "-U"), (genes[2 * n_genes :].tolist(), "-A"))
    )


def take_parts(
    matrix: csr_matrix, genes: np.ndarray, wanted: str | None, file: str
) -> tuple[csr_matrix, np.ndarray, tuple[str, ...]]:
    """Return one part of a matrix in USA mode with the names of its genes, and what was taken when none was asked for.

    That is spliced + ambiguous, which the loaders of alevin-fry (loadFry, load_fry) take for single cells.

    Args:
        matrix: (n_cells, 3 n_genes).
        genes: (3 n_genes,) names.
        wanted: ``spliced``, ``unspliced``, ``ambiguous`` or ``all`` (their sum, for single nuclei).
        file: its name, for messages.

    Raises:
        DataError: if there is no such part.
    """
    if wanted is not None and wanted not in _PARTS:
        raise DataError(
            f"{file} has no part {wanted!r}; set dataset.matrix to one of {', '.join(_PARTS)}, or leave it out"
        )
    n_genes = len(genes) // 3
    first, *others = (
        csr_matrix(matrix[:, part * n_genes : (part + 1) * n_genes])
        for part in (_OF_CELLS if wanted is None else _PARTS[wanted])
    )
    said = (
        f"{file} holds spliced, unspliced and ambiguous counts of each gene; spliced + ambiguous are taken, as for "
        "single cells; dataset.matrix=spliced|unspliced|ambiguous takes another, dataset.matrix=all their sum (nuclei)"
    )
    return csr_matrix(sum(others, start=first)), genes[:n_genes], () if wanted is not None else (said,)
