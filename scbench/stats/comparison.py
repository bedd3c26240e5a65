"""All statistics of one metric, twice: failures rank last, and complete blocks only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from scbench.stats.bayes import ROPE, bayesian_table
from scbench.stats.bootstrap import rank_intervals
from scbench.stats.nemenyi import critical_difference, nemenyi_p
from scbench.stats.omnibus import Omnibus, omnibus
from scbench.stats.pairwise import smallest_p, wilcoxon_holm
from scbench.stats.ranks import check_scores, complete_blocks, mean_ranks, wins_ties_losses

__all__ = ["ALPHA", "ANALYSES", "Comparison", "compare"]

ALPHA = 0.05
ANALYSES = {
    "failures_last": "every dataset that all methods were run on; one without a score there ranks last",
    "complete_blocks": "only the datasets on which every method has a score",
}


@dataclass(frozen=True)
class Comparison:
    """The statistics of one metric under one analysis.

    Attributes:
        analysis: a key of :data:`ANALYSES`.
        datasets: those the analysis is made on.
        ranks: one row per method, best first: ``mean_rank``, ``low``, ``high`` (95 % interval), ``n_missing``.
        omnibus: Friedman and Iman-Davenport; None where they are not defined.
        against_best: Wilcoxon and Holm of the method of the best mean rank against each other one.
        pairs: Wilcoxon and Holm of all pairs.
        critical_difference: Nemenyi's, of mean ranks at level 0.05.
        nemenyi: its p-values, methods in the order of ``ranks``.
        wins: wins, ties and losses of each ordered pair.
        bayes: the Bayesian signed-rank test of each pair.
        notes: what to keep in mind, one sentence each.
    """

    analysis: str
    datasets: tuple[str, ...]
    ranks: pd.DataFrame
    omnibus: Omnibus | None
    against_best: pd.DataFrame
    pairs: pd.DataFrame
    critical_difference: float
    nemenyi: pd.DataFrame
    wins: pd.DataFrame
    bayes: pd.DataFrame
    notes: tuple[str, ...]


def compare(
    scores: pd.DataFrame, seeds: np.ndarray | None = None, *, rope: float = ROPE, n_draws: int = 2000
) -> list[Comparison]:
    """Return one comparison per analysis; an analysis without a dataset is left out.

    Args:
        scores: (n_datasets, n_methods) mean over seeds, higher is better; NaN where a method failed.
        seeds: (n_datasets, n_methods, n_seeds) the scores of single runs, NaN where one failed; None where only the
            means are known, so that intervals are of datasets alone.
        rope: region of practical equivalence, in the unit of ``scores``.
        n_draws: of the bootstrap.

    Raises:
        ValueError: see :func:`scbench.stats.ranks.check_scores`; or the shapes do not fit.
    """
    check_scores(scores)
    values = scores.to_numpy(float)[:, :, None] if seeds is None else np.asarray(seeds, dtype=float)
    if values.shape[:2] != scores.shape:
        raise ValueError(f"seeds are of {values.shape[:2]} datasets and methods, scores of {scores.shape}")
    whole = scores.index.isin(complete_blocks(scores).index)
    kept = {"failures_last": np.ones(len(scores), dtype=bool), "complete_blocks": whole}
    return [
        _compare(analysis, scores[rows], values[rows], rope, n_draws, has_seeds=seeds is not None)
        for analysis, rows in kept.items()
        if rows.any()
    ]


def _compare(
    analysis: str, scores: pd.DataFrame, values: np.ndarray, rope: float, n_draws: int, *, has_seeds: bool
) -> Comparison:
    """Return the statistics of one analysis."""
    low, high = rank_intervals(values, n_draws=n_draws)
    bounds = pd.DataFrame({"low": low, "high": high, "n_missing": scores.isna().sum().to_numpy()}, scores.columns)
    ranks = mean_ranks(scores).to_frame().join(bounds)
    ordered = scores[ranks.index]
    return Comparison(
        analysis=analysis,
        datasets=tuple(map(str, scores.index)),
        ranks=ranks,
        omnibus=omnibus(ordered),
        against_best=wilcoxon_holm(ordered, against=ranks.index[0]),
        pairs=wilcoxon_holm(ordered),
        critical_difference=critical_difference(ordered.shape[1], len(ordered), ALPHA),
        nemenyi=nemenyi_p(ordered),
        wins=wins_ties_losses(ordered),
        bayes=bayesian_table(ordered, rope),
        notes=_notes(len(ordered), ordered.shape[1], has_seeds=has_seeds),
    )


def _notes(n_datasets: int, n_methods: int, *, has_seeds: bool) -> tuple[str, ...]:
    """Return what the size of the table does to its tests."""
    notes = []
    n_pairs = n_methods * (n_methods - 1) // 2
    least = smallest_p(n_datasets, n_pairs)
    if least > ALPHA:
        notes.append(
            f"{n_datasets} datasets are too few for {n_pairs} pairwise tests: even a method that wins on all of them "
            f"has a Holm p of {least:.3g} or more, so no pair can differ at {ALPHA:g} whatever the scores"
        )
    elif n_datasets < 10:
        notes.append(f"with {n_datasets} datasets the tests have little power: no difference found is not equality")
    if not has_seeds:
        notes.append("single runs are not known here, so intervals hold the choice of datasets and not that of seeds")
    return tuple(notes)
