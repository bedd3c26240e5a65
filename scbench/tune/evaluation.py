"""Default against tuned on seeds that the search has not seen."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scbench.config.schema import AppliedPreset, RunConfig, parse_seeds
from scbench.metrics.fixed_space import FixedSpace
from scbench.metrics.registry import HEADLINE
from scbench.run.open_datasets import open_all
from scbench.run.plan import PlannedRun
from scbench.store.store import Store
from scbench.tune.comparison import Difference
from scbench.tune.fits import fits
from scbench.tune.objectives import NoValue, Objective, TrialRun
from scbench.tune.space import with_values

__all__ = ["differences", "fresh_fits", "tuned_configs"]


def tuned_configs(configs: Sequence[RunConfig], params: Mapping[str, Any], preset: AppliedPreset) -> list[RunConfig]:
    """Return the configurations that ``preset=FILE`` would give."""
    return [
        dataclasses.replace(config, method=with_values(config.method, params), applied_preset=preset)
        for config in configs
    ]


def fresh_fits(configs: Sequence[RunConfig], objective: Objective, share: float, store: Path) -> list[RunConfig]:
    """Return the configurations of fits to subsamples by which the objective is computed anew, with the same seeds.

    They have a store of their own: beside the runs on all cells each subsample would stand for a dataset in reports.
    """
    return [
        dataclasses.replace(fit, store=str(store))
        for config in configs
        for fit in fits(config, objective, share, parse_seeds(config.seeds))
    ]


def differences(
    default: Sequence[RunConfig],
    tuned: Sequence[RunConfig],
    objective: Objective,
    loss: Sequence[str],
    refits: Callable[[Sequence[RunConfig]], Sequence[RunConfig]],
) -> list[Difference]:
    """Return default and tuned for each dataset and score.

    Only seeds for which both runs are ok count, and how many were asked for is kept beside. The objective is computed
    anew; seeds without a value, such as those whose cells are all in one cluster, are left out of it.

    Args:
        default, tuned: the same datasets in the same order.
        objective: what was optimised.
        loss: columns of the method's loss.
        refits: gives the configurations that the objective is computed from; those given, unless it is one on
            subsamples.
    """
    rows = []
    for of_default, of_tuned in zip(default, tuned, strict=True):
        runs = _by_seed([[of_default], [of_tuned]])
        dataset = open_all([of_default]).runs[0].dataset
        n_asked = len(parse_seeds(of_default.seeds))
        if not runs[0]:
            continue
        if objective.name not in HEADLINE:
            judged = _by_seed([refits([of_default]), refits([of_tuned])])
            if len(judged[0]) >= objective.least_seeds:
                counts = dataset.counts()
                space = FixedSpace(counts, dataset.cache(counts.matrix))
                rows += _objective_rows(dataset.name, objective, space, loss, judged, n_asked)
        for name in HEADLINE:
            pairs = [[run.record["metrics"].get(name) for run in of_setting] for of_setting in runs]
            if all(value is not None for values in pairs for value in values):
                before, after = np.array(pairs)
                rows.append(Difference(dataset.name, name, before, after, len(before), n_asked))
    return rows


def _by_seed(settings: Sequence[Sequence[RunConfig]]) -> list[list[TrialRun]]:
    """Return the finished runs of each setting by seed, of the seeds for which all settings have one."""
    found = [_ok_runs(Store(configs[0].store), open_all(configs).runs) for configs in settings]
    seeds = sorted(set.intersection(*(set(of_setting) for of_setting in found)))
    return [[of_setting[seed] for seed in seeds] for of_setting in found]


def _ok_runs(store: Store, runs: Sequence[PlannedRun]) -> dict[int, TrialRun]:
    """Return the finished runs of one setting by seed."""
    found = {}
    for run in runs:
        record = store.find(run.dataset.name, run.config.name, run.key)
        if record is not None and record["status"] == "ok":
            found[run.seed] = TrialRun(record, store.folder(run.dataset.name, run.config.name, run.key))
    return found


def _objective_rows(
    dataset: str,
    objective: Objective,
    space: FixedSpace,
    loss: Sequence[str],
    runs: Sequence[Sequence[TrialRun]],
    n_asked: int,
) -> list[Difference]:
    """Return the row of the objective, or none; stability has one value for all seeds together."""
    values = []
    for of_setting in runs:
        groups = [list(of_setting)] if objective.least_seeds > 1 else [[run] for run in of_setting]
        values.append([_value(objective, group, space, loss) for group in groups])
    before, after = np.array(values)[:, ~np.isnan(values).any(axis=0)]
    if not len(before):
        return []
    n_seeds = len(runs[0]) if objective.least_seeds > 1 else len(before)
    return [Difference(dataset, objective.name, before, after, n_seeds, n_asked)]


def _value(objective: Objective, runs: Sequence[TrialRun], space: FixedSpace, loss: Sequence[str]) -> float:
    try:
        return objective.value(runs, space, loss)
    except NoValue:
        return float("nan")
