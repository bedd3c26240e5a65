"""Whether labels of a GPU are those of the CPU, as far as those of two seeds are."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from sklearn.metrics import adjusted_rand_score

__all__ = ["Agreement", "agreement"]


@dataclass(frozen=True)
class Agreement:
    """ARI of partitions of the same cells.

    Attributes:
        same_seed: mean between the two devices, over the seeds that both have.
        seeds_least: the least between two seeds on the CPU.
        seeds_mean: their mean.
    """

    same_seed: float
    seeds_least: float
    seeds_mean: float

    @property
    def holds(self) -> bool:
        """Return whether a device makes no more of a difference than a seed can."""
        return self.same_seed >= self.seeds_least


def agreement(on_cpu: Mapping[int, np.ndarray], on_gpu: Mapping[int, np.ndarray]) -> Agreement:
    """Return how well labels, by seed, agree.

    Raises:
        ValueError: with fewer than two seeds on the CPU, or none that both devices have.
    """
    both = sorted(set(on_cpu) & set(on_gpu))
    if len(on_cpu) < 2 or not both:
        raise ValueError(
            f"two seeds on the CPU and one on both devices are needed, got {sorted(on_cpu)}, {sorted(on_gpu)}"
        )
    of_seeds = [float(adjusted_rand_score(on_cpu[a], on_cpu[b])) for a, b in combinations(sorted(on_cpu), 2)]
    same = [float(adjusted_rand_score(on_cpu[seed], on_gpu[seed])) for seed in both]
    return Agreement(statistics.mean(same), min(of_seeds), statistics.mean(of_seeds))
