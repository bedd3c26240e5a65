"""Which fits a trial is made of: one for each seed, on all cells or each on a random subsample of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from scbench.config.schema import RunConfig
from scbench.data.config import Subsample
from scbench.errors import ConfigError
from scbench.run.plan import PlannedRun
from scbench.tune.objectives import Objective

__all__ = ["check_overlap", "dataset_of", "fits"]


def fits(config: RunConfig, objective: Objective, share: float, seeds: Sequence[int]) -> list[RunConfig]:
    """Return the configurations of the fits by which one setting is judged.

    A fit to a subsample has its seed for both: for the choice of cells, and as the seed of its run.

    Args:
        config: the setting; its own seeds are not used.
        objective: what is optimised.
        share: of the cells in each subsample; used only by an objective on subsamples.
        seeds: one for each fit.

    Raises:
        ConfigError: when a dataset that is to be subsampled is a subsample already.
    """
    if not objective.on_subsamples:
        return [dataclasses.replace(config, seeds=list(seeds))]
    if config.dataset.subsample.share < 1:
        raise ConfigError(
            f"objective={objective.name} takes subsamples itself, but dataset.subsample.share is "
            f"{config.dataset.subsample.share:g}; leave it out, and set their size with subsample_share="
        )
    return [
        dataclasses.replace(
            config, dataset=dataclasses.replace(config.dataset, subsample=Subsample(share, seed)), seeds=[seed]
        )
        for seed in seeds
    ]


def dataset_of(run: PlannedRun, objective: Objective) -> str:
    """Return the dataset that a fit counts for: subsamples that the search has taken count for the whole."""
    part = run.dataset.part
    return part.name if objective.on_subsamples and part is not None else run.dataset.name


def check_overlap(runs: Sequence[PlannedRun]) -> None:
    """Refuse subsamples of one dataset that share too few cells to be compared.

    Raises:
        ConfigError: when two of them share fewer cells than there are clusters.
    """
    for a, b in combinations(runs, 2):
        part, other = a.dataset.part, b.dataset.part
        if part is None or other is None:
            continue
        n_shared = len(np.intersect1d(part.cells(), other.cells(), assume_unique=True))
        n_clusters = max(a.n_clusters, b.n_clusters)
        if n_shared < n_clusters:
            raise ConfigError(
                f"subsample_share={part.choice.share:g} is too small: the subsamples of {part.name} with seeds "
                f"{a.seed} and {b.seed} share {n_shared} cells, fewer than {n_clusters} clusters; use a larger one"
            )
