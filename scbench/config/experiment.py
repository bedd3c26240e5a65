"""Named comparisons: ``conf/experiment/<name>.yaml`` names methods, datasets, protocol and seeds.

A user's own files in ``$SCBENCH_CONF/experiment`` come before the shipped ones. An experiment only names what to run:
its name is in no key, so its runs are those of any command that asks for the same.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from scbench.config.experiment_fields import read_fields
from scbench.config.preset import leaves
from scbench.errors import ConfigError
from scbench.names import unknown
from scbench.renames import current_values, installed_schema

__all__ = ["Experiment", "ExperimentMethod", "experiment_names", "load_experiment"]


@dataclass(frozen=True)
class ExperimentMethod:
    """One row of a comparison: a method, and the values of its parameters that are not its defaults.

    Attributes:
        name: the method's name; it need not be installed.
        params: values by dotted name (``train.epochs``), as YAML has them.
    """

    name: str
    params: Mapping[str, Any]  # Any: the method's schema checks them


@dataclass(frozen=True)
class Experiment:
    """What an experiment names. Nothing is looked for: methods may be missing and datasets not at hand.

    Attributes:
        name: of its file, without ``.yaml``.
        file: where it was read, for messages.
        title: one line for the head of a report.
        source: the paper and table that it is compared with; empty for none.
        note: what to know about it.
        protocol: ``honest`` or ``published``.
        seeds: the seeds, each once.
        n_clusters: as the key ``n_clusters`` takes it.
        methods: in the order of the table.
        datasets: names of registered datasets in the order of the table, each with its name in the paper.
        overrides: values of other keys by dotted name (``engine.timeout_min``).
        metrics: the scores that the paper's table has; ``seconds`` for run times.
        published: names of the files in ``results/published`` with the paper's numbers.
    """

    name: str
    file: str
    title: str
    source: str
    note: str
    protocol: str
    seeds: tuple[int, ...]
    n_clusters: bool | int | str
    methods: tuple[ExperimentMethod, ...]
    datasets: Mapping[str, str]
    overrides: Mapping[str, Any]
    metrics: tuple[str, ...]
    published: tuple[str, ...]


def load_experiment(name: str) -> Experiment:
    """Return the experiment called ``name``.

    Raises:
        ConfigError: when there is none (the nearest is named), or its file cannot be read or is wrong.
    """
    known = _experiment_files()
    if name not in known:
        raise ConfigError(unknown("experiment", name, known))
    path = known[name]
    fields = read_fields(_content(path), f"experiment file {path}")
    return Experiment(
        name=name,
        file=str(path),
        title=fields["title"],
        source=fields["source"],
        note=fields["note"],
        protocol=fields["protocol"],
        seeds=fields["seeds"],
        n_clusters=fields["n_clusters"],
        methods=tuple(ExperimentMethod(method, _current(path, method, params)) for method, params in fields["methods"]),
        datasets=fields["datasets"],
        overrides=dict(leaves(fields["overrides"])),
        metrics=fields["metrics"],
        published=fields["published"],
    )


def _current(path: Path, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return parameters of a row by their current names; those of a method that is not installed stay as they are."""
    values = dict(leaves(params))
    schema = installed_schema(method) if values else None
    if schema is None:
        return values
    return current_values(schema, values, where=f"experiment file {path}: ", prefix=f"methods.{method}.")


def experiment_names() -> list[str]:
    """Return the sorted names of all experiments, those in ``$SCBENCH_CONF/experiment`` included."""
    return sorted(_experiment_files())


def _experiment_files() -> dict[str, Path]:
    shipped = Path(str(files("scbench.conf"))) / "experiment"
    own = os.environ.get("SCBENCH_CONF", "").strip()
    folders = [shipped, *([Path(own).expanduser() / "experiment"] if own else [])]
    paths = [path for folder in folders for path in sorted(folder.glob("*.yaml"))]
    return {path.stem: path for path in paths if not path.name.startswith((".", "_"))}


def _content(path: Path) -> object:
    """Return what a file holds, read as the configuration is: 5e-3 is a number, a key given twice an error."""
    from omegaconf._utils import get_yaml_loader

    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=get_yaml_loader())
    except OSError as error:
        raise ConfigError(f"experiment file {path} cannot be read ({error.strerror or error}); check it") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"experiment file {path} is not YAML ({' '.join(str(error).split())}); correct it") from error
