"""The Bayesian signed-rank test: how probable it is that one method is better, and that the two are as good as equal.

Own code: no maintained package has it.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from scbench.stats.ranks import check_scores

__all__ = ["ROPE", "bayesian_signed_rank", "bayesian_table"]

ROPE = 0.01  # one point of accuracy: smaller differences mean nothing in practice
_CHUNK_VALUES = 4_000_000


def bayesian_signed_rank(
    differences: np.ndarray, rope: float = ROPE, *, n_draws: int = 5_000, prior: float = 0.5, seed: int = 0
) -> tuple[float, float, float]:
    """Return the probabilities that the first method is worse, equal within the rope, and better; they sum to 1.

    A Dirichlet process over datasets, with one pseudo-observation of weight ``prior`` at a difference of zero. Each
    draw w ~ Dirichlet(prior, 1, ..., 1) weighs the pairs of datasets, and the region (below -rope, within, above)
    that holds most of sum_ij w_i w_j [(d_i + d_j) / 2 in region] takes the draw; regions of equal weight share it.

    Args:
        differences: (n_datasets,) first minus second, in the unit of ``rope``; finite.
        rope: half the width of the region of practical equivalence, >= 0.
        n_draws: of the posterior; 5000 leave a standard error of at most 0.007.
        prior: weight of the pseudo-observation, > 0.
        seed: of the draws.

    Raises:
        ValueError: no difference, one that is not finite, or an option out of range.

    Source: Benavoli, Corani, Demsar and Zaffalon 2017, section 4.3.
    """
    given = np.asarray(differences, dtype=float)
    if given.ndim != 1 or not len(given) or not np.isfinite(given).all():
        raise ValueError(f"differences must be finite and at least one, got {given}; leave out missing datasets")
    if rope < 0 or prior <= 0 or n_draws < 1:
        raise ValueError(f"rope >= 0, prior > 0 and n_draws >= 1 are needed, got {rope}, {prior} and {n_draws}")
    points = np.concatenate([[0.0], given])
    walsh = (points[:, None] + points) / 2
    # A difference on the edge, such as 0.80 - 0.79, belongs to the rope whatever its last digit.
    edge = rope + 1e-12
    below, above = (walsh < -edge).astype(float), (walsh > edge).astype(float)
    rng = np.random.default_rng(seed)
    weight = np.ones(len(points))
    weight[0] = prior
    shares = np.zeros(3)
    per_chunk = max(1, _CHUNK_VALUES // len(points))
    for start in range(0, n_draws, per_chunk):
        drawn = rng.dirichlet(weight, size=min(per_chunk, n_draws - start))
        worse, better = (((drawn @ region) * drawn).sum(axis=1) for region in (below, above))
        mass = np.stack([worse, 1 - worse - better, better], axis=1)
        wins = mass >= mass.max(axis=1, keepdims=True) - 1e-12
        shares += (wins / wins.sum(axis=1, keepdims=True)).sum(axis=0)
    p_worse, p_equal, p_better = (float(share) for share in shares / n_draws)
    return p_worse, p_equal, p_better


def bayesian_table(scores: pd.DataFrame, rope: float = ROPE) -> pd.DataFrame:
    """Return the test of each pair of methods on the datasets where both have a score.

    Args:
        scores: (n_datasets, n_methods) float, higher is better.
        rope: half the width of the region of practical equivalence, in the unit of ``scores``.

    Returns:
        One row per pair with a common dataset: ``method``, ``other``, ``n``, ``p_worse``, ``p_rope``, ``p_better``.

    Raises:
        ValueError: see :func:`scbench.stats.ranks.check_scores`.
    """
    check_scores(scores)
    lines = []
    for method, other in combinations(scores.columns, 2):
        differences = (scores[method] - scores[other]).dropna().to_numpy(float)
        if len(differences):
            lines.append((method, other, len(differences), *bayesian_signed_rank(differences, rope)))
    return pd.DataFrame(lines, columns=["method", "other", "n", "p_worse", "p_rope", "p_better"])
