"""Log-normalised expression with gene names: what markers are ranked on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd
from anndata.utils import make_index_unique
from scipy.sparse import csr_matrix

from scbench.errors import ScbenchError
from scbench.method import Counts
from scbench.preprocessing.prepare import Recipe, prepare

__all__ = ["Expression", "NoMarkersError", "expression_of"]

_RECIPE = Recipe(target=1e4)  # ln(1 + counts per 10 000); genes without a count go


class NoMarkersError(ScbenchError):
    """Why markers cannot be ranked; they are left out, and this is said."""


@dataclass(frozen=True)
class Expression:
    """The genes of a dataset in all its cells.

    Attributes:
        values: (n_cells, n_genes) float32 CSR, ln(1 + counts per 10 000), or the values of the dataset where it has no
            counts. Genes that no cell expresses are not in it.
        genes: (n_genes,) str, all different: a name that comes again gets ``-1``, ``-2``, ...
        n_repeated: genes whose name had come before.
    """

    values: csr_matrix
    genes: np.ndarray
    n_repeated: int


def expression_of(counts: Counts) -> Expression:
    """Return the log-normalised values of all cells with the names of their genes.

    An empty cell stays, as one that expresses nothing.

    Args:
        counts: (n_cells, n_genes); never changed.

    Raises:
        NoMarkersError: there are no names of genes, or only numbers.
        DataError: the values cannot be normalised (NaN, negative counts, no expressed gene).
    """
    if counts.genes is None:
        raise NoMarkersError("it has no gene names, so its markers would say nothing")
    names = counts.genes.astype(str)
    if len(names) != counts.matrix.shape[1]:
        raise NoMarkersError(f"it has {len(names)} gene names for {counts.matrix.shape[1]} genes; check the file")
    if not any(letter.isalpha() for name in names if name != "nan" for letter in name):
        raise NoMarkersError(
            f"its gene names are only numbers (the first is {str(names[0])!r}), so markers would say nothing"
        )
    prepared = prepare(counts, _RECIPE)
    kept = pd.Index(names[prepared.genes])
    different = np.asarray(make_index_unique(kept), dtype=str)
    return Expression(cast(csr_matrix, prepared.x), different, int(kept.duplicated().sum()))
