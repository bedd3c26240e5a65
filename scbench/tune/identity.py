"""What makes two searches the same study: everything that decides which trials they make and how these are judged."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scbench.method import MethodConfig
from scbench.renames import stored_params
from scbench.run.plan import PlannedRun
from scbench.store.record import canonical_json
from scbench.store.record_file import json_ready
from scbench.tune.fits import dataset_of
from scbench.tune.objectives import Objective
from scbench.tune.space import Space

__all__ = ["Search", "differences", "identity_of", "usual_name"]

_NAMES_SHOWN = 3


@dataclass(frozen=True)
class Search:
    """What is searched.

    Attributes:
        config: the method's configuration that trials change.
        space: what they change.
        objective: what is optimised.
        runs: the runs that a trial makes, with the configuration that trials start from: for each dataset one for
            each seed (on a subsample of its own where the objective says so), datasets in the order of the command.
        sampler_seed: of the sampler.
        pruner: ``median``, ``hyperband`` or ``none``.
    """

    config: MethodConfig
    space: Space
    objective: Objective
    runs: tuple[PlannedRun, ...]
    sampler_seed: int
    pruner: str

    @property
    def datasets(self) -> list[str]:
        """Return the names of the datasets."""
        return list(dict.fromkeys(self.dataset_of(run) for run in self.runs))

    def dataset_of(self, run: PlannedRun) -> str:
        """Return the name of the dataset that one of its runs counts for."""
        return dataset_of(run, self.objective)

    @property
    def maximize(self) -> bool:
        """Return whether more of what trials are judged by is better; mean ranks are small when good."""
        return self.objective.maximize and len(self.datasets) == 1

    @property
    def value_name(self) -> str:
        """Return what the value of a trial is."""
        return self.objective.name if len(self.datasets) == 1 else f"mean rank by {self.objective.name}"


def identity_of(search: Search) -> dict[str, Any]:
    """Return the settings of a search as plain JSON; the number of trials is not among them.

    Parameters have the names that they had first, as in run keys, so that a study goes on where it stopped.
    """
    params = dataclasses.asdict(search.config)
    for parameter in search.space.parameters:  # what is searched starts from its default, but is not held at it
        _drop(params, parameter.path.split("."))
    space = search.space
    identity = {
        "method": params.pop("name"),
        "variant": params.pop("variant"),
        "params": stored_params(type(search.config), params),
        "defaults": space.stored(space.defaults(search.config)),
        "space": space.stored({parameter.path: parameter.identity() for parameter in space.parameters}),
        "objective": search.objective.name,
        "loss": list(search.space.loss) if search.objective.name == "loss" else [],
        "data": {
            run.dataset.name: {"sha256": run.dataset.sha256, "preprocessing": run.dataset.preprocessing}
            for run in search.runs
        },
        "k": {run.dataset.name: [run.k_rule, run.n_clusters] for run in search.runs},
        "protocol": search.runs[0].protocol,
        "trial_seeds": sorted({run.seed for run in search.runs}),
        "sampler_seed": search.sampler_seed,
        "pruner": search.pruner,
    }
    plain: dict[str, Any] = json_ready(identity)
    return plain


def usual_name(search: Search) -> str:
    """Return the name of the study when the command gives none: readable, and another one for another search."""
    names = search.datasets
    more = [f"{len(names) - _NAMES_SHOWN}-more"] if len(names) > _NAMES_SHOWN else []
    digest = hashlib.sha256(canonical_json(identity_of(search)).encode()).hexdigest()[:8]
    return "-".join([search.config.name, "+".join([*names[:_NAMES_SHOWN], *more]), search.objective.name, digest])


def differences(stored: Mapping[str, Any], asked: Mapping[str, Any], prefix: str = "") -> Sequence[str]:
    """Return the settings in which two searches differ, as ``name: stored there, asked here``."""
    found: list[str] = []
    for key in sorted({*stored, *asked}):
        there, here = stored.get(key), asked.get(key)
        if isinstance(there, Mapping) and isinstance(here, Mapping):
            found += differences(there, here, f"{prefix}{key}.")
        elif there != here:
            found.append(f"{prefix}{key}: {there} there, {here} here")
    return found


def _drop(params: dict[str, Any], path: Sequence[str]) -> None:
    """Remove a value from nested mappings."""
    for name in path[:-1]:
        params = params[name]
    params.pop(path[-1], None)
