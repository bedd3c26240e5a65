"""The constants of the stability rule. They were fixed on simulated counts and are no settings."""

from __future__ import annotations

from typing import Final

import numpy as np

__all__ = [
    "DEVIATIONS",
    "HIGHEST_RESOLUTION",
    "LEAST_CELLS",
    "LEAST_STABILITY",
    "MARGIN",
    "MOST_CELLS",
    "N_COMPONENTS",
    "N_NULL",
    "N_SUBSAMPLES",
    "RESOLUTIONS",
    "SHARE",
    "SMALLEST_CLUSTER",
    "neighbours_of",
]

N_COMPONENTS: Final = 20  # of the standard recipe, as everywhere in scbench
MOST_CELLS: Final = 20_000  # more are sampled down to these
LEAST_CELLS: Final = 10  # fewer are refused
SMALLEST_CLUSTER: Final = 5  # cells of a community that counts
HIGHEST_RESOLUTION: Final = 2.0
RESOLUTIONS: Final = np.geomspace(0.02, HIGHEST_RESOLUTION, 93)  # 5 % from one to the next
N_NULL: Final = 8  # clouds without structure for each parent
MARGIN: Final = 0.85  # of the resolution at which those fall apart, where a parent has to have fallen apart
DEVIATIONS: Final = 3.0  # of its logarithm among them, by which it has to be lower at least
N_SUBSAMPLES: Final = 8
SHARE: Final = 0.8  # of the cells in a subsample
LEAST_STABILITY: Final = 0.6  # mean Jaccard index of a split's clusters (Hennig 2007: below it, not to be trusted)
_MOST_NEIGHBOURS, _FEWEST_NEIGHBOURS, _CELLS_FOR_EACH = 20, 6, 8


def neighbours_of(n_cells: int) -> int:
    """Return the neighbours of each cell among ``n_cells``, itself counted: 20, fewer among fewer than 160."""
    return min(max(n_cells // _CELLS_FOR_EACH, _FEWEST_NEIGHBOURS), _MOST_NEIGHBOURS)
