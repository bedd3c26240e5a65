"""How methods ranked on the sets that are most alike in size, and whether any is better than the two baselines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from scbench.own_cells.advice.measured import MeasuredRun
from scbench.stats.bootstrap import rank_intervals
from scbench.stats.comparison import ALPHA
from scbench.stats.pairwise import smallest_p, wilcoxon_holm
from scbench.stats.ranks import EXACT_DIGITS, mean_ranks

__all__ = ["BASELINES", "Ranking", "ranking_of"]

BASELINES = {"pca_kmeans": "PCA + k-means", "leiden": "Leiden"}
_MOST_SETS = 8
_FEWEST_SETS = 2


@dataclass(frozen=True)
class Ranking:
    """Ranks by ARI.

    Attributes:
        table: by method, best first: ``mean_rank`` with ``low`` and ``high`` (95 %, bootstrap over sets, then seeds),
            and ``ari``, the mean over sets.
        sets: names with their cells, those nearest in size first.
        said: one sentence for each baseline: what is better than it, what is worse, or that nothing can be told.
    """

    table: pd.DataFrame
    sets: tuple[tuple[str, int], ...]
    said: tuple[str, ...]


def ranking_of(runs: Sequence[MeasuredRun], n_cells: int, methods: Sequence[str]) -> Ranking | None:
    """Return the ranks on at most eight sets of the nearest sizes; None with fewer than two sets or methods.

    Only sets on which all of these methods were run count, so that nobody is ranked on easier sets than another.
    Methods without a run on any set have no part.

    Args:
        runs: of all methods.
        n_cells: of the user's cells.
        methods: to rank.
    """
    known = [name for name in methods if any(run.method == name for run in runs)]
    sizes = {run.dataset: run.n_cells for run in runs}
    shared = [name for name in sizes if {run.method for run in runs if run.dataset == name} >= set(known)]
    nearest = sorted(shared, key=lambda name: (abs(np.log(sizes[name] / n_cells)), name))[:_MOST_SETS]
    if len(nearest) < _FEWEST_SETS or len(known) < 2:
        return None
    values = [[[run.ari for run in runs if (run.dataset, run.method) == (d, m)] for m in known] for d in nearest]
    most = max(len(seeds) for of_set in values for seeds in of_set)
    seeds = np.array([[seeds + [np.nan] * (most - len(seeds)) for seeds in of_set] for of_set in values])
    scores = pd.DataFrame(np.round(np.nanmean(seeds, axis=2), EXACT_DIGITS), index=nearest, columns=known)
    low, high = rank_intervals(seeds)
    table = mean_ranks(scores).to_frame().join(pd.DataFrame({"low": low, "high": high, "ari": scores.mean()}, known))
    said = tuple(_against(scores, baseline, title) for baseline, title in BASELINES.items() if baseline in known)
    return Ranking(table, tuple((name, sizes[name]) for name in nearest), said)


def _against(scores: pd.DataFrame, baseline: str, title: str) -> str:
    """Return what the scores say of one baseline."""
    tests = wilcoxon_holm(scores, against=baseline)
    about = f"on {len(scores)} sets, ARI, Wilcoxon with Holm's correction over {len(tests)} methods"
    least = smallest_p(len(scores), len(tests))
    if least > ALPHA:
        wins = {name: int((scores[name] > scores[baseline]).sum()) for name in tests["other"]}
        best = max(wins, key=lambda name: wins[name])
        return (
            f"Nothing here is shown to beat {title}: {len(scores)} sets are too few to tell {len(tests)} methods from "
            f"it, whatever they score (least possible p {least:.2g}); the most wins against it has {best}: "
            f"{wins[best]} of {len(scores)}"
        )
    told = tests[tests["p_holm"] <= ALPHA]
    better = [row["other"] for _, row in told.iterrows() if row["median_difference"] < 0]
    worse = [row["other"] for _, row in told.iterrows() if row["median_difference"] > 0]
    first = f"better than {title}: {', '.join(better)}" if better else f"nothing here beats {title}"
    second = f"; worse: {', '.join(worse)}" if worse else "; none is shown to be worse"
    return f"{first[0].upper()}{first[1:]} ({about}){second}"
