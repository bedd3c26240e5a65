"""The checks of one's own cells: the same as of a file, in the words of a call in Python."""

from __future__ import annotations

import logging
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from scbench.data.config import DatasetConfig
from scbench.data.identical_cells import n_identical
from scbench.data.labelled import LabelledCounts
from scbench.data.spike_ins import is_rest, is_spike_in
from scbench.data.validate import check_content
from scbench.errors import DataError
from scbench.method import Counts
from scbench.own_cells.matrix_of import is_anndata, matrix_of

__all__ = ["CheckedCells", "check_names", "checked_counts"]

_LOG = logging.getLogger(__name__)

_NAME_AT_MOST = 5
_HOW_TO_PASS = (
    'Counts in a layer are passed with layer="...", log-normalised values with values="log_normalised", RPKM or TPM '
    'with values="linear", and corrected counts rounded (numpy.rint)'
)


class CheckedCells(NamedTuple):
    """What a method may see of somebody's cells.

    Attributes:
        counts: in the order of the cells, canonical, float32, in memory of their own.
        lines: a line each on what the user should know of them, for ``warnings.warn`` in the function that the user
            called, with ``stacklevel=2``.
        where: the place that they were found in, such as ``layers["counts"]``.
    """

    counts: Counts
    lines: list[str]
    where: str


def checked_counts(
    data: object, layer: str | None, values: Literal["counts", "log_normalised", "linear"]
) -> CheckedCells:
    """Return what a method may see of ``data``.

    Args:
        data: as :func:`scbench.own_cells.matrix_of.matrix_of`; it is not changed.
        layer: layer of an AnnData. None takes ``X``; of counts, the first of ``X``, ``layers["counts"]`` and ``raw``
            that holds whole numbers.
        values: what the matrix holds.

    Raises:
        ConfigError: unknown layer or ``values``.
        DataError: ``data`` is no table of numbers, or not what ``values`` says; or two cells have one name.
    """
    config = DatasetConfig(name="data", values=values)
    check_names(data)
    try:
        matrix, genes, lines, where = matrix_of(data, layer, finds_counts=values == "counts")
    except DataError as error:
        raise DataError(f"{error}. {_HOW_TO_PASS}" if str(error).startswith("no counts") else str(error)) from None
    called = f"{where} of the AnnData" if is_anndata(data) else where
    try:
        checked = check_content(LabelledCounts(matrix, None, genes), config, _HOW_TO_PASS)
    except DataError as error:
        raise DataError(str(error).replace("dataset data", called).replace("; check the file", "")) from None
    n_rest = int(is_rest(genes, matrix.shape[1]).sum())
    if genes is not None and n_rest:
        found = ", ".join(genes[is_rest(genes, len(genes))][:_NAME_AT_MOST])
        lines.append(f"{n_rest} columns of reads without a gene are left out ({found})")
    lines += _remarks(checked.matrix, checked.genes)
    _LOG.info("%s from %s, %d cells, %d genes", values, where, *checked.matrix.shape)
    return CheckedCells(Counts(checked.matrix, checked.genes, checked.is_counts), lines, where)


def check_names(data: object) -> None:
    """Refuse two cells of one name: nobody could tell whose cluster is whose.

    Raises:
        DataError: with the number of such cells, and the first.
    """
    names = data.obs_names if is_anndata(data) else data.index if isinstance(data, pd.DataFrame) else None
    if names is None or names.is_unique:
        return
    repeated = names[names.duplicated()]
    how = "adata.obs_names_make_unique()" if is_anndata(data) else "DataFrame.set_axis"
    raise DataError(
        f"{len(repeated)} cells have the name of another (the first: {str(repeated[0])!r}); {how} gives them names of "
        "their own"
    )


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
