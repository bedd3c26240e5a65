"""Rows that are no genes: RNA of the ERCC mix, put in to measure with, and reads that counters could not assign."""

from __future__ import annotations

import re

import numpy as np

__all__ = ["is_rest", "is_spike_in"]

# As Cell Ranger, STAR and scran have them. With the case as written: the worm has a gene ercc-1, people have ERCC1.
_ERCC = re.compile(r"(?:.*[-_.|])?ERCC[-_.]?\d{5}(?:[-_.|].*)?")

_REST_OF_STAR = frozenset({"N_unmapped", "N_multimapping", "N_noFeature", "N_ambiguous"})


def is_spike_in(genes: np.ndarray | None, n_genes: int) -> np.ndarray:
    """Return which genes are ERCC spike-ins, (n_genes,) bool; none where genes have no names."""
    if genes is None:
        return np.zeros(n_genes, dtype=bool)
    return np.array([_ERCC.fullmatch(str(gene)) is not None for gene in genes], dtype=bool)


def is_rest(genes: np.ndarray | None, n_genes: int) -> np.ndarray:
    """Return which rows are the reads that HTSeq or STAR could not assign, (n_genes,) bool; none without names."""
    if genes is None:
        return np.zeros(n_genes, dtype=bool)
    return np.array([str(gene).startswith("__") or str(gene) in _REST_OF_STAR for gene in genes], dtype=bool)
