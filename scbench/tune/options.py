"""The keys of ``python -m scbench.tune``: what is the search's own, and what is passed on to the configuration."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scbench.config.check import parse
from scbench.config.groups import field_names
from scbench.config.schema import parse_seeds
from scbench.errors import ConfigError
from scbench.names import check_choice, unknown
from scbench.tune.objectives import Objective, find_objective
from scbench.tune.storage_choice import check_storage

__all__ = ["PRUNERS", "TuneOptions", "choose_pruner", "read_options"]

PRUNERS = ("auto", "median", "hyperband", "none")
_FIRST_TRIAL_SEED = 1000  # far from 0 to 9, which comparisons are made with
_USUAL_SHARE = 0.8
_USUAL_WORKERS = 4
_SEARCH = "search."
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
_DRY_RUN = "--dry-run"
_RUN_KEYS = (*field_names(), "experiment")


@dataclass(frozen=True)
class TuneOptions:
    """What the command line says about the search itself.

    Attributes:
        n_trials: trials of the study in all, those of earlier commands and of other processes included.
        objective: name of what is optimised; empty for modularity.
        trial_seeds: seeds that each trial is run with: so many (1000, 1001, ...), or a list; None is as many as the
            objective needs.
        subsample_share: of the cells in each subsample of objective=stability_subsamples; None is 0.8.
        sampler_seed: of the sampler.
        pruner: what gives poor trials up early; ``auto`` is median where runs can be watched.
        storage: ``sqlite`` or ``journal`` (a file in the study's folder), or a URL of a database; ``auto`` is sqlite,
            and journal with engine=slurm.
        workers: tasks at a time with engine=slurm; 0 is 4.
        study: name of the study; empty for one made from what is searched.
        out: folder of the studies.
        leave_one_out: search on all datasets but one and evaluate on that one, for each in turn.
        evaluate: run defaults and result on fresh seeds at the end.
        is_dry_run: only show what would be searched.
        search: what ``search.<parameter>`` was set to.
    """

    n_trials: int = 50
    objective: str = ""
    trial_seeds: Any = None
    subsample_share: float | None = None
    sampler_seed: int = 0
    pruner: str = "auto"
    storage: str = "auto"
    workers: int = 0
    study: str = ""
    out: str = "results/tune"
    leave_one_out: bool = False
    evaluate: bool = True
    is_dry_run: bool = False
    search: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check what the types cannot say."""
        if self.n_trials < 1:
            raise ConfigError(f"n_trials must be at least 1, got {self.n_trials}")
        if not 0 <= self.sampler_seed < 2**32:
            raise ConfigError(f"sampler_seed must be a whole number from 0 to {2**32 - 1}, got {self.sampler_seed}")
        check_choice("pruner", self.pruner, PRUNERS)
        if self.study and not _NAME.fullmatch(self.study):
            raise ConfigError(f"study must be a plain name (letters, digits, . _ + -), got {self.study!r}")
        if self.workers < 0:
            raise ConfigError(f"workers must be at least 1, got {self.workers}")
        check_storage(self.storage)
        if not self.out.strip():
            raise ConfigError("out is empty; give a folder, for example out=results/tune")
        _ = self.seeds_of_trials()
        if self.subsample_share is not None:
            self._check_share(self.subsample_share)
        if self.leave_one_out and not self.objective:
            raise ConfigError(
                "leave_one_out=true is made for tuning with the labels of other datasets, which has to be asked for "
                "by name: add objective=ari (or nmi, acc, or a label-free one)"
            )

    def goal(self) -> Objective:
        """Return the objective."""
        return find_objective(self.objective or "modularity")

    def n_workers(self) -> int:
        """Return how many tasks of SLURM make the trials."""
        return self.workers or _USUAL_WORKERS

    def share(self) -> float:
        """Return the share of the cells in each subsample."""
        return _USUAL_SHARE if self.subsample_share is None else self.subsample_share

    def _check_share(self, share: float) -> None:
        """Refuse a share that is none, or that nothing would use."""
        if not 0 < share < 1:
            raise ConfigError(
                f"subsample_share must be above 0 and below 1, got {share}; objective=stability compares fits to all "
                "cells"
            )
        if not self.goal().on_subsamples:
            raise ConfigError(
                f"subsample_share={share} is for objective=stability_subsamples, and the objective is "
                f"{self.goal().name}; leave one of them out"
            )

    def seeds_of_trials(self) -> list[int]:
        """Return the seeds of each trial."""
        goal = self.goal()
        asked = goal.usual_seeds if self.trial_seeds is None else self.trial_seeds
        try:
            seeds = parse_seeds(asked)
        except ConfigError as error:
            raise ConfigError(str(error).replace("seeds", "trial_seeds", 1)) from error
        if not isinstance(asked, list):
            seeds = [_FIRST_TRIAL_SEED + seed for seed in seeds]
        if len(seeds) < goal.least_seeds:
            raise ConfigError(
                f"objective={goal.name} needs at least {goal.least_seeds} seeds in each trial, got {len(seeds)}; "
                f"use trial_seeds={goal.usual_seeds}"
            )
        return seeds


def read_options(arguments: Sequence[str]) -> tuple[TuneOptions, list[str]]:
    """Take the keys of the search out of a command line.

    A value for ``search.<parameter>`` that is no range is a value for ``method.<parameter>``.

    Returns:
        The options, and the arguments that are left for the configuration.

    Raises:
        ConfigError: when a key has a value that cannot be.
    """
    types = {entry.name: entry.type for entry in dataclasses.fields(TuneOptions) if entry.name not in ("search",)}
    types.pop("is_dry_run")
    given: dict[str, Any] = {"is_dry_run": _DRY_RUN in arguments}
    search: dict[str, Any] = {}
    asked: set[str] = set()
    rest = []
    for argument in arguments:
        key, _, text = argument.lstrip("+").partition("=")
        if argument == _DRY_RUN:
            continue
        if key.startswith(_SEARCH) and _ == "=":
            value = parse(f"{key}={text}").value()
            if key in asked:
                raise ConfigError(f"{key} is given twice; leave one of them out")
            asked.add(key)
            if isinstance(value, list | Mapping) or value == "default":
                search[key.removeprefix(_SEARCH)] = value
            else:
                rest.append(f"method.{key.removeprefix(_SEARCH)}={text}")
        elif key in types:
            if key in given:
                raise ConfigError(f"{key} is given twice; leave one of them out")
            given[key] = _typed(key, text, str(types[key]))
        elif not argument.startswith("-") and not {".", "/"} & set(key) and key not in _RUN_KEYS:
            raise ConfigError(unknown("key", key, [*types, *_RUN_KEYS]))
        else:
            rest.append(argument)
    return TuneOptions(**given, search=search), rest


def choose_pruner(asked: str, goal: Objective, n_datasets: int) -> str:
    """Return what gives trials up: ``median``, ``hyperband`` or ``none``.

    Trials can be compared on the way when a run alone has the value of the objective, on one dataset.

    Raises:
        ConfigError: when a pruner is asked for where trials cannot be compared.
    """
    can_compare = goal.space_score is not None and n_datasets == 1
    if asked == "auto":
        return "median" if can_compare else "none"
    if asked != "none" and not can_compare:
        why = f"{n_datasets} datasets" if n_datasets > 1 else f"objective={goal.name}"
        raise ConfigError(
            f"pruner={asked} compares unfinished trials, which {why} cannot be compared by; use pruner=none, or one "
            "dataset with objective=modularity or silhouette_pca"
        )
    return asked


def _typed(key: str, text: str, expected: str) -> Any:
    """Return a value of the key's type."""
    if expected == "str":
        return text.strip("'\"")
    value = parse(f"{key}={text}").value()
    is_right = {
        "int": isinstance(value, int) and not isinstance(value, bool),
        "float | None": isinstance(value, int | float) and not isinstance(value, bool),
        "bool": isinstance(value, bool),
    }.get(expected, True)
    if not is_right:
        what = {"int": "a whole number", "bool": "true or false"}.get(expected, "a number")
        raise ConfigError(f"{key} must be {what}, got {text!r}")
    return value
