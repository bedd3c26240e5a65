"""What the network sees, as far as it does not depend on the seed: counts, and how to scale them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from scbench_methods.scsamac.config import ScSamacConfig
from scbench_methods.scsamac.gene_filter import genes_by_zero_rate
from scipy.sparse import csr_matrix

from scbench.errors import DataError
from scbench.inputs import Array, Derived, InputCache, derive
from scbench.method import Counts
from scbench.preprocessing.prepare import Recipe, prepare
from scbench.preprocessing.scaling import column_moments

__all__ = ["Inputs", "make_inputs"]


@dataclass(frozen=True)
class Inputs:
    """Seed-free inputs; the z-scores are never held.

    Attributes:
        counts: (n_cells, n_genes) float32 CSR.
        size_factors: (n_cells,) float32, library over median library.
        nonempty: (n_cells,) bool.
        mean, sd: (n_genes,) float64, of ln(1 + count / size factor) over non-empty cells; ddof 1, an sd of 0 is 1.
        log_norm_sums, count_sums: (n_genes,) float64, sums of that matrix and of the counts.
    """

    counts: csr_matrix
    size_factors: np.ndarray
    nonempty: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    log_norm_sums: np.ndarray
    count_sums: np.ndarray


def make_inputs(counts: Counts, config: ScSamacConfig, cache: InputCache | None) -> Inputs:
    """Return the inputs of a run.

    Libraries are summed over all genes when genes are chosen by "hvg", over the chosen ones by "zero_rate", as in the
    released program.

    Raises:
        DataError: when the values are log-normalised, no gene passes the filter, or ``prepare`` refuses the counts.
    """
    if not counts.is_counts:
        raise DataError(
            "scSAMAC fits a (zero-inflated) negative binomial, which is defined for counts only, and these values are "
            "log-normalised; give raw counts (dataset.values=counts) or choose another method"
        )

    def compute(matrix: csr_matrix, inner: InputCache | None) -> Derived:
        return _compute(matrix, config, inner)

    params = {"n_top_genes": config.n_top_genes, "gene_filter": config.gene_selection}
    found = derive(counts.matrix, "scsamac", params, compute, cache)
    return Inputs(
        counts=cast(csr_matrix, found.per_cell["counts"]),
        size_factors=cast(np.ndarray, found.per_cell["size_factors"]),
        nonempty=cast(np.ndarray, found.per_cell["nonempty"]),
        **{name: found.shared[name] for name in ("mean", "sd", "log_norm_sums", "count_sums")},
    )


def _compute(matrix: csr_matrix, config: ScSamacConfig, cache: InputCache | None) -> Derived:
    """Compute :func:`make_inputs` for one matrix."""
    n_top = config.n_top_genes if isinstance(config.n_top_genes, int) else None
    recipe = Recipe(hvg=n_top if config.gene_selection == "hvg" else None)
    done = prepare(Counts(matrix), recipe, cache)
    if config.gene_selection == "zero_rate" and n_top is not None:
        genes = genes_by_zero_rate(done.counts, int(done.nonempty.sum()), n_top)
        if len(genes) == 0:
            raise DataError(
                "the filter on the share of zeros keeps no gene: none is found in at least 10 cells and missing in "
                "enough of the others; use method.n_top_genes=all or method.gene_filter=hvg"
            )
        done = prepare(Counts(done.counts[:, genes]), Recipe(), None)
    log_norm = cast(csr_matrix, done.x)
    mean, sd = column_moments(log_norm, int(done.nonempty.sum()))
    n_genes = log_norm.shape[1]
    shared = {
        "mean": mean,
        "sd": np.where(sd > 0, sd, 1.0),
        "log_norm_sums": np.bincount(log_norm.indices, weights=log_norm.data, minlength=n_genes),
        "count_sums": np.bincount(done.counts.indices, weights=done.counts.data, minlength=n_genes),
    }
    per_cell: dict[str, Array] = {"counts": done.counts, "size_factors": done.size_factors, "nonempty": done.nonempty}
    return Derived(per_cell=per_cell, shared=shared)
