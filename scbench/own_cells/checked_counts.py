"""The checks of one's own cells: the same as of a file, in the words of a call in Python."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.sparse import csr_matrix

from scbench.data.config import DatasetConfig
from scbench.data.identical_cells import n_identical
from scbench.data.labelled import LabelledCounts
from scbench.data.spike_ins import is_rest, is_spike_in
from scbench.data.validate import check_content
from scbench.method import Counts
from scbench.own_cells.matrix_of import matrix_of

__all__ = ["checked_counts"]

_NAME_AT_MOST = 5
_HOW_TO_PASS = (
    'Counts in a layer are passed with layer="...", log-normalised values with values="log_normalised", RPKM or TPM '
    'with values="linear", and corrected counts rounded (numpy.rint)'
)


def checked_counts(
    data: object, layer: str | None, values: Literal["counts", "log_normalised", "linear"]
) -> tuple[Counts, list[str]]:
    """Return what a method may see of ``data``, and a line each on what the user should know of it.

    The lines are for ``warnings.warn`` in the function that the user called, with ``stacklevel=2``.

    Args:
        data: as :func:`scbench.own_cells.matrix_of.matrix_of`; it is not changed.
        layer: layer of an AnnData; None takes ``X``.
        values: what the matrix holds.

    Returns:
        The counts in the order of the cells, canonical, float32, in memory of their own; lines.

    Raises:
        ConfigError: unknown layer or ``values``.
        DataError: ``data`` is no table of numbers, or not what ``values`` says.
    """
    config = DatasetConfig(name="data", values=values)
    matrix, genes, lines = matrix_of(data, layer)
    checked = check_content(LabelledCounts(matrix, None, genes), config, _HOW_TO_PASS)
    n_rest = int(is_rest(genes, matrix.shape[1]).sum())
    if genes is not None and n_rest:
        found = ", ".join(genes[is_rest(genes, len(genes))][:_NAME_AT_MOST])
        lines.append(f"{n_rest} columns of reads without a gene are left out ({found})")
    lines += _remarks(checked.matrix, checked.genes)
    return Counts(checked.matrix, checked.genes, checked.is_counts), lines


def _remarks(matrix: csr_matrix, genes: np.ndarray | None) -> list[str]:
    """Return a line each on cells without a count, on identical cells and on spike-ins."""
    lines = []
    n_empty = int((np.diff(matrix.indptr) == 0).sum())
    if n_empty:
        lines.append(
            f"{n_empty} of {matrix.shape[0]} cells have no count and are clustered with the others; "
            "sc.pp.filter_cells(adata, min_counts=1) takes them out"
        )
    n_twins, n_profiles = n_identical(matrix)
    if n_twins:
        lines.append(f"{n_twins} of {matrix.shape[0]} cells are identical to another ({n_profiles} profiles)")
    is_spike = is_spike_in(genes, matrix.shape[1])
    if is_spike.any():
        share = matrix.data[is_spike[matrix.indices]].sum(dtype=np.float64) / matrix.data.sum(dtype=np.float64)
        lines.append(
            f"{is_spike.sum()} genes are spike-ins (ERCC) with {share:.1%} of the values; "
            'adata[:, ~adata.var_names.str.startswith("ERCC-")] leaves them out'
        )
    return lines
