"""Which runs a command asks for: one :class:`PlannedRun` per method, dataset and seed, each with its key."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scbench.config.schema import ESTIMATES, AppliedPreset, RunConfig, parse_n_clusters, parse_seeds
from scbench.data.load import Dataset
from scbench.errors import ConfigError
from scbench.method import MethodConfig
from scbench.renames import stored_params
from scbench.store.record import SCHEMA, canonical_json

__all__ = ["PlannedRun", "plan_runs", "run_key"]


@dataclass(frozen=True)
class PlannedRun:
    """One run: everything that decides its result, and the preset that its parameters come from.

    Attributes:
        key: sha256 of the canonical JSON of its identity; see :func:`run_key`.
        config: the method's resolved configuration.
        dataset: the parsed dataset.
        protocol: ``honest`` or ``published``.
        k_rule: ``true``, ``number``, or how it is estimated (``scbench.config.schema.ESTIMATES``); ``n_clusters`` is
            what came out of it.
        seed: the run's seed.
        k_evidence: what speaks for an estimate, for the record.
        preset: the preset that parameters were taken from, for the record; ``config`` holds them.
    """

    key: str
    config: MethodConfig
    dataset: Dataset
    protocol: str
    k_rule: str
    n_clusters: int
    seed: int
    preset: AppliedPreset | None = None
    k_evidence: Mapping[str, Any] | None = None

    @property
    def run_id(self) -> str:
        """Return what tells runs of one command apart: two names of the same bytes share a key, not an id."""
        return f"{self.dataset.name}/{self.config.name}/{self.key}"

    @property
    def label(self) -> str:
        """Return how a run is called in messages."""
        return f"{self.config.name} on {self.dataset.name}, seed {self.seed}"

    def params(self) -> dict[str, Any]:
        """Return the method's resolved parameters, without its name and variant (which are fields of their own)."""
        values = dataclasses.asdict(self.config)
        return {name: value for name, value in values.items() if name not in ("name", "variant")}


def plan_runs(config: RunConfig, dataset: Dataset) -> list[PlannedRun]:
    """Return the runs of one composed configuration, in the order of their seeds.

    Raises:
        ConfigError: when the number of clusters cannot be had on this dataset.
    """
    rule, number = parse_n_clusters(config.n_clusters, config.estimate)
    n_clusters, evidence = _resolve_n_clusters(rule, number, config.estimate, dataset)
    if n_clusters > dataset.n_cells:
        raise ConfigError(
            f"n_clusters is {n_clusters} but dataset {dataset.name} has only {dataset.n_cells} cells; "
            "ask for fewer clusters" + ("" if dataset.part is None else ", or a larger dataset.subsample.share")
        )
    return [
        PlannedRun(
            key=run_key(config.method, dataset, config.protocol, rule, n_clusters, seed),
            config=config.method,
            dataset=dataset,
            protocol=config.protocol,
            k_rule=rule,
            n_clusters=n_clusters,
            seed=seed,
            preset=config.applied_preset,
            k_evidence=evidence,
        )
        for seed in parse_seeds(config.seeds)
    ]


def _resolve_n_clusters(
    rule: str, number: int | None, estimate: str, dataset: Dataset
) -> tuple[int, Mapping[str, Any] | None]:
    """Return the number of clusters that every method gets on this dataset, and what speaks for an estimate."""
    if number is not None:
        return number, None
    if rule in ESTIMATES.values():
        from scbench.graph.estimate_k import k_with_evidence

        counts = dataset.counts()
        return k_with_evidence(counts, estimate, dataset.cache(counts.matrix))
    if dataset.n_types_of_whole is None:
        raise ConfigError(
            f"dataset {dataset.name} has no labels, so n_clusters=true is unknown; use n_clusters=estimate or a number"
        )
    return dataset.n_types_of_whole, None


def run_key(config: MethodConfig, dataset: Dataset, protocol: str, k_rule: str, n_clusters: int, seed: int) -> str:
    """Return the sha256 of a run's identity.

    Parameters stand in it under the names that they had first, so a new name makes no new run of a stored one.
    The protocol is part of it because a run under ``published`` stores snapshots that one under ``honest`` has
    not. Device, paths and engine settings are not. Nor is the name of a preset: equal parameters give equal results,
    wherever they come from. So a preset that comes to the parameters of a stored run finds that run, whose record
    keeps naming what it was made with: another preset, or none.
    """
    params = stored_params(type(config), dataclasses.asdict(config), dataset.n_cells)
    identity = {
        "schema": SCHEMA,
        "method": params.pop("name"),
        "variant": params.pop("variant"),
        "params": params,
        "data": dataset.sha256,
        "preprocessing": dataset.preprocessing,
        "k": {"rule": k_rule, "n_clusters": n_clusters},
        "protocol": protocol,
        "seed": seed,
    }
    try:
        text = canonical_json(identity)
    except ValueError as error:
        raise ConfigError(f"a parameter of {config.name} is not a finite number ({error}): {params}") from error
    return hashlib.sha256(text.encode()).hexdigest()
