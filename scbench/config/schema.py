"""Schemas of the whole configuration: every key has a type and one default, so a typo is an error."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from scbench.config.engines import LocalEngine, SlurmEngine
from scbench.errors import ConfigError
from scbench.names import check_choice

__all__ = [
    "ESTIMATES",
    "PROTOCOLS",
    "AppliedPreset",
    "LocalEngine",
    "RunConfig",
    "SlurmEngine",
    "parse_devices",
    "parse_n_clusters",
    "parse_seeds",
]

PROTOCOLS = ("honest", "published")
DEVICES = ("auto", "cpu", "cuda")
# What a run's key and record say of each rule of n_clusters=estimate. resolution_1 came first and has the plain word.
ESTIMATES = {"resolution_1": "estimate", "stability": "estimate_stability"}


@dataclass(frozen=True)
class AppliedPreset:
    """The preset that parameters of a method were taken from, as records keep it.

    Attributes:
        name: the preset's name, or the file name of a user's own (which ends in ``.yaml``).
        source: where its values come from.
        tuned_with_labels: whether they were chosen with the true labels.
    """

    name: str
    source: str
    tuned_with_labels: bool


@dataclass(frozen=True)
class RunConfig:
    """The whole configuration of one command.

    Attributes:
        method, dataset, engine: configuration groups.
        protocol: ``honest`` or ``published``.
        preset: ``auto`` (under ``published`` the method's preset for the dataset, if it ships one), ``none``, the name
            of one of its presets, or a user's file that ends in ``.yaml``.
        seeds: how many seeds (10 = seeds 0 to 9), or a list of them.
        n_clusters: ``true`` (number of annotated types), ``estimate`` (label-free), or a number.
        estimate: how ``n_clusters=estimate`` is made: ``resolution_1``, or ``stability``.
        device: ``auto``, ``cpu``, ``cuda`` (all GPUs), ``cuda:1``, or a list of these.
        store: folder of the run store.
        retry_failed: whether runs that failed before are tried again.
        fail_fast: whether the first run that fails ends the command; those that run are stopped and count as not done.
        applied_preset: what ``preset`` came to; its values are in ``method`` already. Not a key of the command line.
    """

    method: Any = "???"
    dataset: Any = "???"
    engine: Any = "???"
    protocol: str = "honest"
    preset: str = "auto"
    seeds: Any = 10
    n_clusters: Any = True
    estimate: str = "resolution_1"
    device: Any = "auto"
    store: str = "results/runs"
    retry_failed: bool = False
    fail_fast: bool = False
    applied_preset: AppliedPreset | None = field(default=None, metadata={"omegaconf_ignore": True})

    def __post_init__(self) -> None:
        """Check what the types cannot say."""
        check_choice("protocol", self.protocol, PROTOCOLS)
        parse_seeds(self.seeds)
        parse_n_clusters(self.n_clusters, self.estimate)
        parse_devices(self.device)
        if not self.store.strip():
            raise ConfigError("store is empty; give a folder, for example store=results/runs")


def parse_seeds(seeds: object) -> list[int]:
    """Return the seeds of a command: ``10`` means 0 to 9, a list means those.

    Raises:
        ConfigError: for anything but a positive number or a list of distinct non-negative whole numbers.
    """
    advice = "use seeds=10 for seeds 0 to 9, or seeds=[0,4,7]"
    if isinstance(seeds, int) and not isinstance(seeds, bool):
        if seeds < 1:
            raise ConfigError(f"seeds must be at least 1, got {seeds}; {advice}")
        return list(range(seeds))
    if not isinstance(seeds, list) or not seeds:
        raise ConfigError(f"seeds must be a number or a list of numbers, got {seeds!r}; {advice}")
    for seed in seeds:
        if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**32:
            raise ConfigError(f"every seed must be a whole number from 0 to {2**32 - 1}, got {seed!r}; {advice}")
    if len(set(seeds)) < len(seeds):
        raise ConfigError(f"seeds holds a seed twice: {seeds}; {advice}")
    return list(seeds)


def parse_n_clusters(n_clusters: object, estimate: str = "resolution_1") -> tuple[str, int | None]:
    """Return the rule, as run keys and records have it, and for the rule ``number`` the number.

    Raises:
        ConfigError: for anything but true, estimate or a positive whole number, or an unknown ``estimate``.
    """
    of_estimate = ESTIMATES[check_choice("estimate", estimate, tuple(ESTIMATES))]
    if n_clusters is True or n_clusters == "true":
        return "true", None
    if n_clusters == "estimate":
        return of_estimate, None
    if isinstance(n_clusters, int) and not isinstance(n_clusters, bool) and n_clusters >= 1:
        return "number", n_clusters
    raise ConfigError(
        "n_clusters must be true (the number of annotated types), estimate, or a number of at least 1, "
        f"got {n_clusters!r}"
    )


def parse_devices(device: object) -> list[str]:
    """Return the requested devices as a list of ``auto``, ``cpu``, ``cuda`` or ``cuda:<n>``.

    Raises:
        ConfigError: for an unknown device.
    """
    requested = [_plain_index(name) for name in (device if isinstance(device, list) else [device])]
    if not requested:
        raise ConfigError("device is an empty list; use device=auto, cpu, cuda or [cuda:0,cuda:1]")
    for name in requested:
        kind, _, index = str(name).partition(":")
        is_known = name in DEVICES or (kind == "cuda" and index.isdecimal())
        if not is_known:
            raise ConfigError(
                f"unknown device {name!r}. Use auto, cpu, cuda, cuda:<n> or a list such as [cuda:0,cuda:1]"
            )
    if len(requested) > 1 and len(set(requested)) < len(requested):
        raise ConfigError(f"device names a device twice: {requested}; engine.runs_per_gpu shares one")
    return requested


def _plain_index(name: object) -> str:
    """Return a device's name with its number written in one way (``cuda:01`` is ``cuda:1``)."""
    kind, separator, index = str(name).partition(":")
    return f"{kind}:{int(index)}" if separator and index.isdecimal() else str(name)
