"""What a search makes large: scores of stored runs, label-free unless labels are asked for by name.

All of them are computed from what ordinary runs have stored, by the process that drives the search.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scbench.data.subsample import kept_cells
from scbench.errors import ConfigError
from scbench.metrics.fixed_space import FixedSpace, SpaceScore
from scbench.metrics.registry import METRICS, SCORES
from scbench.metrics.stability import stability
from scbench.names import unknown

__all__ = ["OBJECTIVES", "NoValue", "Objective", "TrialRun", "find_objective"]


class NoValue(Exception):  # noqa: N818 - not an error of the program: this trial has no value
    """A trial cannot be judged; the message says why."""


@dataclass(frozen=True)
class TrialRun:
    """One finished run of a trial.

    Attributes:
        record: its record, of status ``ok``.
        folder: where it is stored.
    """

    record: Mapping[str, Any]
    folder: Path

    def labels(self) -> np.ndarray:
        """Return the labels, (n_cells,) in file order.

        Raises:
            NoValue: the run has none that can be read, such as one from an archive without labels.
        """
        try:
            return np.asarray(np.load(self.folder / "labels.npy", allow_pickle=False))
        except (OSError, ValueError, EOFError) as error:
            raise NoValue(f"the labels of seed {self.record['seed']} cannot be read ({error})") from error

    def cells(self) -> np.ndarray:
        """Return which cells of the whole dataset a run on a subsample was given, (n_cells,) rows of its file."""
        data = self.record["data"]
        choice = data["preprocessing"]["subsample"]
        return kept_cells(data["part_of"]["n_cells"], choice["share"], choice["seed"])


@dataclass(frozen=True)
class Objective:
    """One thing to optimise.

    Attributes:
        name: on the command line.
        what: in a few words, for help.
        maximize: whether more is better.
        uses_labels: whether it is computed with the true labels.
        least_seeds: seeds that a trial needs.
        usual_seeds: seeds that a trial has when the command line does not say.
        space_score: the score of the fixed space that it is made of, which runs can be watched by; None for others.
        of: computes it from the runs of one dataset (one for each seed), the fixed space of that dataset, and the
            columns of the method's loss.
        on_subsamples: whether each fit of a trial is to a random subsample of the cells, of its own.
    """

    name: str
    what: str
    of: Callable[[Sequence[TrialRun], FixedSpace, Sequence[str]], float]
    maximize: bool = True
    uses_labels: bool = False
    least_seeds: int = 1
    usual_seeds: int = 1
    space_score: SpaceScore | None = None
    on_subsamples: bool = False

    def value(self, runs: Sequence[TrialRun], space: FixedSpace, loss: Sequence[str]) -> float:
        """Return the value of a trial on one dataset.

        Raises:
            NoValue: when a run has put all cells in one cluster, which no objective takes for a success, or there is
                nothing to compute the value from, or it is not finite.
        """
        for run in runs:
            if run.record["n_clusters_found"] < 2:
                raise NoValue(f"collapsed: all cells are in one cluster (seed {run.record['seed']})")
        value = float(self.of(runs, space, loss))
        if not math.isfinite(value):
            raise NoValue(f"{self.name} is not finite ({value})")
        return value


def find_objective(name: str) -> Objective:
    """Return the objective called ``name``.

    Raises:
        ConfigError: when there is none; the nearest is named.
    """
    if name not in OBJECTIVES:
        raise ConfigError(unknown("objective", name, OBJECTIVES))
    return OBJECTIVES[name]


def _space_score(score: SpaceScore) -> Callable[[Sequence[TrialRun], FixedSpace, Sequence[str]], float]:
    """Return the mean of a score of the fixed space over the runs."""

    def mean(runs: Sequence[TrialRun], space: FixedSpace, _: Sequence[str]) -> float:
        return float(np.mean([space.score(score, run.labels()) for run in runs]))

    return mean


def _metric(name: str) -> Callable[[Sequence[TrialRun], FixedSpace, Sequence[str]], float]:
    """Return the mean of a score against the true labels."""

    def mean(runs: Sequence[TrialRun], _: FixedSpace, __: Sequence[str]) -> float:
        values = [run.record["metrics"].get(name) for run in runs]
        if any(value is None for value in values):
            raise NoValue(
                f"there is no {name}: the dataset has no labels, or the run is older than this metric, which "
                "python -m scbench.rescore then adds"
            )
        return float(np.mean(values))

    return mean


def _stability(runs: Sequence[TrialRun], _: FixedSpace, __: Sequence[str]) -> float:
    """Return the agreement of the seeds with each other."""
    return stability([run.labels() for run in runs])


def _stability_on_subsamples(runs: Sequence[TrialRun], _: FixedSpace, __: Sequence[str]) -> float:
    """Return the agreement of fits to subsamples with each other, on the cells that two of them share."""
    return stability([run.labels() for run in runs], [run.cells() for run in runs])


def _loss(runs: Sequence[TrialRun], _: FixedSpace, columns: Sequence[str]) -> float:
    """Return the mean loss at the end of the training."""
    return float(np.mean([_last_loss(run.folder / "history.csv", columns) for run in runs]))


def _last_loss(path: Path, columns: Sequence[str]) -> float:
    """Return the sum of the columns in the last line that has any of them."""
    if path.exists():
        with path.open(newline="") as file:
            for row in reversed(list(csv.DictReader(file))):
                values = [float(row[name]) for name in columns if row.get(name)]
                if values:
                    return sum(values)
    raise NoValue(f"the run logged no loss ({', '.join(columns) or 'search.yaml names no column for it'})")


OBJECTIVES = {
    objective.name: objective
    for objective in (
        Objective(
            "modularity",
            METRICS["modularity"].meaning,
            _space_score("modularity"),
            space_score="modularity",
        ),
        Objective("stability", "mean ARI between the seeds of a trial", _stability, least_seeds=2, usual_seeds=3),
        Objective(
            "stability_subsamples",
            "mean ARI between fits to random subsamples, on the cells that two share",
            _stability_on_subsamples,
            least_seeds=2,
            usual_seeds=3,
            on_subsamples=True,
        ),
        Objective(
            "silhouette_pca",
            METRICS["silhouette_pca"].meaning,
            _space_score("silhouette_pca"),
            space_score="silhouette_pca",
        ),
        Objective("loss", "of the training at its end, as search.yaml names it", _loss, maximize=False),
        *(
            Objective(
                name,
                f"{METRICS[name].meaning}, with the true labels",
                _metric(name),
                maximize=METRICS[name].higher_is_better,
                uses_labels=True,
            )
            for name in SCORES
        ),
    )
}
