"""What came of a study: its best trial, what it cost, and the files that say so."""

from __future__ import annotations

import csv
import dataclasses
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from optuna.importance import FanovaImportanceEvaluator, get_param_importances
from optuna.trial import TrialState

from scbench.config.preset import leaves
from scbench.config.schema import ESTIMATES
from scbench.escape import csv_row
from scbench.method import MethodConfig
from scbench.run.display import short_time
from scbench.store.non_defaults import non_defaults
from scbench.store.store import Store, json_ready
from scbench.tune.sampling import SCORES
from scbench.tune.study import Study

__all__ = ["Result", "read_result", "words_of", "write_preset", "write_trials"]

_STATES = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "given up", TrialState.FAIL: "failed"}
_FEWEST_FOR_IMPORTANCE = 10  # a forest on fewer tells of its own draws


@dataclass(frozen=True)
class Result:
    """The result of a study.

    Attributes:
        study: its name.
        number, params, value: of the best trial.
        default_value: of the trial with the defaults; None when it has none.
        importances: share of the objective's variance that each parameter explains (fANOVA); empty when it cannot be
            told.
        counts: trials by how they ended.
        seconds: of all runs together.
    """

    study: str
    number: int
    params: Mapping[str, Any]
    value: float
    default_value: float | None
    importances: Mapping[str, float]
    counts: Mapping[str, int]
    seconds: float


def read_result(study: Study) -> Result | None:
    """Return the result of a study; None when no trial has a value."""
    best, values, trials = study.best(), study.values(), study.trials()
    if best is None:
        return None
    space = study.search.space
    defaults, found = space.stored(space.defaults(study.search.config)), space.current(best.params)
    of_defaults = next(
        (values[trial.number] for trial in trials if trial.number in values and trial.params == defaults), None
    )
    ended = Counter(_STATES.get(trial.state, "under way") for trial in trials)
    seconds = sum(record["seconds"]["total"] or 0.0 for record in Store(study.folder / "runs").records())
    return Result(
        study=study.name,
        number=best.number,
        params={parameter.path: found[parameter.path] for parameter in space.parameters},
        value=values[best.number],
        default_value=of_defaults,
        importances=_importances(study),
        counts={name: ended[name] for name in (*_STATES.values(), "under way")},
        seconds=seconds,
    )


def write_preset(path: Path, study: Study, result: Result) -> None:
    """Write the best parameters, and those that the search held at values of its own, as a file for ``preset=FILE``."""
    search = study.search
    seeds = sorted({run.seed for run in search.runs})
    n_trials = sum(result.counts.values())
    content = {
        "datasets": search.datasets,
        "source": f"search {study.name}: the best of {n_trials} trials by {search.value_name}, seeds {seeds}",
        "tuned_with_labels": search.objective.uses_labels,
        "note": f"trial {result.number}; the search took {short_time(result.seconds)} of runs",
        "params": _nested({**_held(search.config), **result.params}),
    }
    head = f"# Parameters of {search.config.name}: python -m scbench {words_of(study)} preset={path.name}\n"
    path.write_text(head + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110), encoding="utf-8")


def write_trials(path: Path, study: Study) -> None:
    """Write one line for each trial that has ended."""
    values, search = study.values(), study.search
    names = [parameter.path for parameter in search.space.parameters]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(csv_row(["number", "state", search.value_name, *search.datasets, "reason", *names]))
        for trial in study.trials():
            if trial.state.is_finished():
                params = search.space.current(trial.params)
                scores = trial.user_attrs.get(SCORES, {})
                writer.writerow(
                    csv_row(
                        [
                            trial.number,
                            _STATES[trial.state],
                            values.get(trial.number, ""),
                            *(scores.get(name, "") for name in search.datasets),
                            study.reason(trial),
                            *(params.get(name, "") for name in names),
                        ]
                    )
                )


def _importances(study: Study) -> dict[str, float]:
    """Return the importance of each parameter."""
    values = study.values().values()
    if len(values) < _FEWEST_FOR_IMPORTANCE or len(set(values)) < 2:
        return {}
    found = get_param_importances(study.judged_copy(), evaluator=FanovaImportanceEvaluator(seed=0))
    return study.search.space.current({name: float(share) for name, share in found.items()})


def words_of(study: Study) -> str:
    """Return the method, and what a preset cannot say of the runs of a search: variant and number of clusters."""
    search = study.search
    words = [f"method={search.config.name}"]
    if search.config.variant != search.config.VARIANTS[0]:
        words.append(f"method.variant={search.config.variant}")
    rule = search.runs[0].k_rule
    if rule != "true":
        estimate = next((name for name, of_record in ESTIMATES.items() if of_record == rule), None)
        number = search.runs[0].n_clusters
        words.append(f"n_clusters={number}" if estimate is None else f"n_clusters=estimate estimate={estimate}")
    return " ".join(words)


def _held(config: MethodConfig) -> dict[str, Any]:
    """Return the parameters, by dotted name, that are not the defaults of the variant."""
    parameters = dict(leaves(json_ready(dataclasses.asdict(config))))
    return non_defaults(config.name, config.variant, parameters) or {}


def _nested(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return values by dotted name as nested mappings."""
    nested: dict[str, Any] = {}
    for dotted, value in params.items():
        node = nested
        *above, name = dotted.split(".")
        for part in above:
            node = node.setdefault(part, {})
        node[name] = value
    return nested
