"""The constants of estimate=stability, on simulated counts of known K: which K each choice finds.

python tests/perf/estimate_k_simulated.py [seed ...] prints one line for each set and the means; about four minutes of one
x86_64 thread for a seed. scbench/graph/stable_k/rule.py holds what was chosen from it. No real cells are read.
"""

from __future__ import annotations

import itertools
import sys
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix

from scbench.data.config import SimulatedDataset
from scbench.data.simulate import simulate, type_sizes
from scbench.graph.communities import communities
from scbench.graph.neighbours import umap_connectivities
from scbench.graph.stable_k import rule, split, tree
from scbench.method import Counts
from scbench.metrics.external import score
from scbench.preprocessing.prepare import STANDARD_RECIPE, principal_components

N_GENES = 5000


class Simulated(NamedTuple):
    """A set: sizes as of ``SimulatedDataset``, and gradients along which the cells of every type vary."""

    n_cells: int
    n_types: int
    separation: float = 1.0
    imbalance: float = 1.0
    gradients: int = 0
    shape: str = "normal"


SETS = (
    Simulated(100, 1),
    Simulated(1000, 1),
    Simulated(300, 1, gradients=3),
    Simulated(600, 1, gradients=3),
    Simulated(1500, 1, gradients=3, shape="uniform"),
    Simulated(600, 1, gradients=1, shape="uniform"),
    Simulated(90, 2),
    Simulated(90, 2, 1.5),
    Simulated(200, 3, 0.8, 3.0),
    Simulated(160, 6, 1.0, 2.0),
    Simulated(300, 8, 1.0, 3.0),
    Simulated(160, 12, 1.5),
    Simulated(200, 20, 2.0),
    Simulated(500, 4, 1.2, 10.0),
    Simulated(1000, 6, 0.6, 5.0),
    Simulated(1000, 15, 1.0, 5.0),
    Simulated(1500, 10, 0.8, 20.0),
    Simulated(800, 5, 1.0, 3.0, gradients=3),
    Simulated(1500, 8, 1.0, 5.0, gradients=2, shape="uniform"),
    Simulated(300, 6, 1.2, 2.0, gradients=2),
)
CHOICES = (  # margin, deviations, least stability; the strictest first, which is taken of equal ones
    (0.8, 3.0, 0.6),
    (0.85, 3.0, 0.6),
    (0.85, 2.0, 0.6),
    (0.9, 2.0, 0.6),
)


def main(seeds: list[int]) -> None:
    """Print K and ARI of Leiden at resolution 1 and of each choice of constants."""
    print("columns: K (ARI) of resolution_1, then of", ", ".join(str(choice) for choice in CHOICES))
    off = np.zeros((len(CHOICES) + 1, 0))
    for seed, one in itertools.product(seeds, SETS):
        matrix, types = counts_of(one, seed)
        points = principal_components(Counts(matrix, None, True), STANDARD_RECIPE, rule.N_COMPONENTS)
        found = [communities(umap_connectivities(points, 20), "leiden", 1.0, 0)]
        found += [labels_by(points, tree.log_totals(matrix), *choice) for choice in CHOICES]
        ks = np.array([len(np.unique(labels)) for labels in found])
        off = np.column_stack([off, np.abs(np.log2(ks / one.n_types))])
        cells = [f"{k:3d} ({score(types, labels)['ari']:.2f})" for k, labels in zip(ks, found, strict=True)]
        print(f"seed {seed} {tuple(one)!s:45}", " ".join(cells), flush=True)
    means = off.mean(axis=1)
    print("mean |log2(K / true)|", " ".join(f"{value:.3f}" for value in means))
    print("lowest:", *CHOICES[int(np.argmin(means[1:].round(3)))])


def counts_of(one: Simulated, seed: int) -> tuple[csr_matrix, np.ndarray]:
    """Return counts and types. Without gradients they are ``scbench.data.simulate``'s; with them each gradient moves
    the log mean of a tenth of the genes, by a place drawn for each cell (variance 1) times a slope (sd 0.5)."""
    if not one.gradients:
        plain = SimulatedDataset(
            name="s",
            n_cells=one.n_cells,
            n_genes=N_GENES,
            n_types=one.n_types,
            separation=one.separation,
            imbalance=one.imbalance,
            seed=seed,
        )
        made = simulate(plain)
        return made.matrix, np.asarray(made.labels)
    rng = np.random.default_rng(seed)
    base = np.exp(rng.normal(-2.7, 1.5, N_GENES))
    shifts = rng.normal(0, one.separation, (one.n_types, N_GENES)) * (rng.random((one.n_types, N_GENES)) < 0.1)
    types = rng.permutation(np.repeat(np.arange(one.n_types), type_sizes(one.n_cells, one.n_types, one.imbalance)))
    shape = (one.n_cells, one.gradients)
    places = rng.normal(size=shape) if one.shape == "normal" else rng.uniform(-(3**0.5), 3**0.5, shape)
    slopes = rng.normal(0, 0.5, (one.gradients, N_GENES)) * (rng.random((one.gradients, N_GENES)) < 0.1)
    means = np.exp(np.log(base) + shifts[types] + places @ slopes)
    means *= base.sum() / means.sum(axis=1, keepdims=True) * np.exp(rng.normal(0, 0.4, one.n_cells))[:, None]
    counts = rng.poisson(means * rng.standard_gamma(2.0, means.shape) / 2.0)
    return csr_matrix(counts * (rng.random(means.shape) >= 0.1), dtype=np.float32), types


def labels_by(
    points: np.ndarray, depth: np.ndarray, margin: float, deviations: float, least_stability: float = 0.6
) -> np.ndarray:
    """Return the clusters under a choice of constants."""
    kept = split.MARGIN, split.DEVIATIONS, split.LEAST_STABILITY
    split.MARGIN, split.DEVIATIONS, split.LEAST_STABILITY = margin, deviations, least_stability
    try:
        return tree.split_all(points, depth, np.random.default_rng(0), 0)[0]
    finally:
        split.MARGIN, split.DEVIATIONS, split.LEAST_STABILITY = kept


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or [1, 2])
