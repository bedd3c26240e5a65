"""Simulated counts with known types."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scbench.data.config import SimulatedDataset
from scbench.data.labelled import LabelledCounts
from scbench.data.readers.stacking import stack

__all__ = ["simulate", "type_sizes"]

# Shape of the real sets of the registry: 85-97 % zeros, log means spread by 1.4 to 1.8, library sizes by 0.5
# to 1.
_MEAN_LOG_RATE = -2.7
_SD_LOG_RATE = 1.5
_SD_LOG_LIBRARY = 0.4
_MARKER_FRACTION = 0.1
_DISPERSION = 0.5
_BLOCK_VALUES = 2**20  # 12 MiB while a block is drawn; part of the seed's meaning, since blocks draw in turn


def simulate(config: SimulatedDataset) -> LabelledCounts:
    """Return negative-binomial counts of ``config.n_types`` types, in shuffled order.

    For cell i of type t(i) and gene j::

        log b_j    ~ Normal(-2.7, 1.5^2)                       base rate of a gene
        m_tj       ~ Bernoulli(0.1)                            whether j is a marker of type t
        d_tj       ~ Normal(0, separation^2) if m_tj else 0    natural-log fold change
        r_tj       = b_j exp(d_tj) * sum_k b_k / sum_k b_k exp(d_tk)
        log l_i    ~ Normal(0, 0.4^2)                          library size, relative
        mu_ij      = l_i r_{t(i)j}
        y_ij       ~ NegativeBinomial(mean mu_ij, variance mu_ij + 0.5 mu_ij^2)
        x_ij       = 0 with probability dropout, else y_ij

    Every type thus has the same expected library size, and types differ by their markers alone. The sizes of
    the types fall geometrically from the largest to the smallest by the factor ``imbalance`` and are never 0.
    The same configuration gives the same counts. A cell or gene may be empty when there are few genes or
    cells.

    Returns:
        counts (n_cells, n_genes), labels ``type1`` (the largest) to ``type<n_types>``, and names of genes and
        cells.
    """
    rng = np.random.default_rng(config.seed)
    rates = _rates(config, rng)
    types = np.repeat(np.arange(config.n_types), type_sizes(config.n_cells, config.n_types, config.imbalance))
    types = rng.permutation(types)
    library = np.exp(rng.normal(0.0, _SD_LOG_LIBRARY, config.n_cells)).astype(np.float32)
    matrix = stack(_blocks(config, rates, types, library, rng), shape=(0, config.n_genes))
    names = np.array([f"type{t + 1}" for t in range(config.n_types)], dtype=object)
    return LabelledCounts(
        matrix=matrix,
        labels=names[types],
        genes=np.array([f"gene{j + 1}" for j in range(config.n_genes)], dtype=object),
        cells=np.array([f"cell{i + 1}" for i in range(config.n_cells)], dtype=object),
    )


def type_sizes(n_cells: int, n_types: int, imbalance: float) -> np.ndarray:
    """Return (n_types,) sizes, decreasing, that sum to ``n_cells``; size_t is proportional to
    imbalance^(-t/(T-1)).

    Each type gets one cell first; the rest is shared by largest remainders, so small sets depart from the
    ratio.
    """
    weights = imbalance ** -np.linspace(0.0, 1.0, n_types)
    ideal = weights / weights.sum() * n_cells
    sizes = np.maximum(np.floor(ideal).astype(np.int64), 1)
    while sizes.sum() > n_cells:  # types lifted to 1 take from the type that exceeds its share most
        sizes[np.argmax(np.where(sizes > 1, sizes - ideal, -np.inf))] -= 1
    first = np.argsort(-(ideal - sizes), kind="stable")[: n_cells - int(sizes.sum())]
    sizes[first] += 1
    return np.sort(sizes)[::-1]


def _rates(config: SimulatedDataset, rng: np.random.Generator) -> np.ndarray:
    """Return r, the (n_types, n_genes) mean counts at library size 1."""
    shape = (config.n_types, config.n_genes)
    base = np.exp(rng.normal(_MEAN_LOG_RATE, _SD_LOG_RATE, config.n_genes))
    is_marker = rng.random(shape) < _MARKER_FRACTION
    rates = base * np.exp(np.where(is_marker, rng.normal(0.0, config.separation, shape), 0.0))
    return np.asarray((rates * (base.sum() / rates.sum(axis=1, keepdims=True))).astype(np.float32))


def _blocks(
    config: SimulatedDataset,
    rates: np.ndarray,
    types: np.ndarray,
    library: np.ndarray,
    rng: np.random.Generator,
) -> Iterator[np.ndarray]:
    """Yield counts in blocks of cells; the negative binomial is drawn as a Poisson with a gamma rate."""
    shape = np.float32(1.0 / _DISPERSION)
    step = max(1, _BLOCK_VALUES // config.n_genes)
    for start in range(0, config.n_cells, step):
        rows = slice(start, start + step)
        mean = rates[types[rows]]
        mean *= library[rows, None]
        mean *= rng.standard_gamma(shape, mean.shape, dtype=np.float32) / shape
        counts = rng.poisson(mean).astype(np.float32)
        if config.dropout > 0:
            counts[rng.random(mean.shape, dtype=np.float32) < config.dropout] = 0.0
        yield counts
