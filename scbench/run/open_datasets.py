"""From configurations to planned runs: every dataset is opened, so that nothing has run when one of them is missing."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from scbench.config.request import LeftOut
from scbench.config.schema import LocalEngine, RunConfig, parse_seeds
from scbench.data.at_hand import not_at_hand
from scbench.data.config import DatasetConfig, FileDataset, RegisteredDataset
from scbench.data.load import Dataset, open_dataset
from scbench.errors import ConfigError, DataError
from scbench.run.local.reading import read_within_limits
from scbench.run.plan import PlannedRun, plan_runs

__all__ = ["Opened", "open_all"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Opened:
    """What configurations come to on this machine.

    Attributes:
        runs: all runs, each once, in the order of the configurations.
        configs: the configuration of each run, by its id.
        left_out: runs on datasets that cannot be opened; empty unless that is allowed.
    """

    runs: list[PlannedRun]
    configs: dict[str, RunConfig]
    left_out: tuple[LeftOut, ...]


def open_all(configs: Sequence[RunConfig], *, leave_out: bool = False, download: bool = True) -> Opened:
    """Open every dataset and plan its runs.

    Args:
        configs: composed configurations.
        leave_out: go on without a dataset that cannot be opened.
        download: fetch datasets that are not here; otherwise they cannot be opened.

    Raises:
        ScbenchError: when a dataset cannot be opened and ``leave_out`` is false, or a configuration is wrong.
    """
    opened: list[tuple[DatasetConfig, Dataset | str]] = []
    planned: dict[str, PlannedRun] = {}
    of_run: dict[str, RunConfig] = {}
    left_out = []
    for config in configs:
        found = next((found for known, found in opened if known == config.dataset), None)
        if found is None:
            found = _open(config.dataset, config.engine, leave_out=leave_out, download=download)
            _refuse_one_name(opened, config.dataset, found)
            opened.append((config.dataset, found))
        if isinstance(found, str):
            left_out.append(LeftOut("dataset", config.dataset.name, found, len(parse_seeds(config.seeds))))
            continue
        for run in plan_runs(config, found):
            planned[run.run_id] = run
            of_run.setdefault(run.run_id, config)
    return Opened(list(planned.values()), of_run, tuple(left_out))


def _open(config: DatasetConfig, engine: LocalEngine, *, leave_out: bool, download: bool) -> Dataset | str:
    """Return the dataset, or why there is none."""
    try:
        if not download and isinstance(config, RegisteredDataset) and (reasons := not_at_hand([config.name])):
            return reasons[config.name]
        dataset = open_dataset(config, elsewhere=partial(read_within_limits, engine=engine))
    except DataError as error:
        if not leave_out:
            raise
        return str(error)
    if isinstance(config, FileDataset):
        _LOG.info("%s", dataset.described())
    for warning in dataset.warnings:
        _LOG.warning("%s", warning)
    return dataset


def _refuse_one_name(
    opened: Sequence[tuple[DatasetConfig, Dataset | str]], config: DatasetConfig, found: Dataset | str
) -> None:
    """Refuse two files that would be one row of the table, whose runs would be pooled."""
    for other_config, other in opened:
        if isinstance(found, str) or isinstance(other, str) or (other.name, other.sha256) == (found.name, found.sha256):
            continue
        if other.name == found.name:
            paths = [getattr(each, "path", each.name) for each in (other_config, config)]
            raise ConfigError(
                f"two different datasets of this command are called {found.name!r}: {paths[0]} and {paths[1]}; run "
                "them in two commands with dataset.name=..., or rename one of the files"
            )
