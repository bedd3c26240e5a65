"""The runs behind a comparison: composed, made and stored exactly as those of the command line."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scbench.config.compose import run_with_config
from scbench.config.schema import RunConfig
from scbench.data.dataset import Dataset
from scbench.errors import ConfigError, DataError
from scbench.names import check_choice
from scbench.plugins import discover
from scbench.run.command import run_command
from scbench.run.open_datasets import open_all
from scbench.store.store import Store
from scbench.store.stored_arrays import stored_array
from scbench.tables.rows import TableRow, differences, summarise

__all__ = ["MethodRuns", "compose", "make_runs"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class MethodRuns:
    """The runs of one method.

    Attributes:
        name: what tables call it.
        row: its runs as a row of a table.
        labels: by seed, of the runs that are ok, (n_cells,) int64 in file order.
    """

    name: str
    row: TableRow
    labels: Mapping[int, np.ndarray]


def compose(methods: Mapping[str, Sequence[str]], common: Sequence[str]) -> list[RunConfig]:
    """Return the checked configuration of every method.

    Args:
        methods: overrides of the command line that are its own, by method (``method.resolution=0.5``).
        common: those that hold for all.

    Raises:
        ConfigError: no or an unknown method, or something is wrong with a parameter or an override.
    """
    if not methods:
        raise ConfigError(f"no method is given; known: {', '.join(discover())}")
    configs: list[RunConfig] = []
    for name, its_own in methods.items():
        check_choice("method", name, discover())

        def take(found: list[RunConfig]) -> int:
            configs.extend(found)
            return 0

        status = run_with_config([f"method={name}", *common, *its_own], take)
        if status:
            raise ConfigError("the configuration cannot be composed; see the lines above")
    return configs


def make_runs(configs: Sequence[RunConfig], argv: Sequence[str], *, progress: bool) -> tuple[Dataset, list[MethodRuns]]:
    """Make what is missing, through the engine and the store, and return the dataset and the runs of each method.

    A method none of whose runs is ok is left out, and a line says so.

    Args:
        configs: of :func:`compose`.
        argv: the command line, for the records.
        progress: show the runs as they go on.

    Raises:
        ScbenchError: something is wrong before the first run.
        DataError: not one run is ok.
    """
    run_command(configs, argv, has_table=False, has_display=progress)
    store = Store(Path(configs[0].store))
    opened = open_all(configs)
    dataset = opened.runs[0].dataset
    records = [store.find(run.dataset.name, run.config.name, run.key) for run in opened.runs]
    rows = summarise([record for record in records if record is not None])
    found = [_of_row(row, difference, store) for row, difference in zip(rows, differences(rows), strict=True)]
    for runs in found:
        _tell_failures(runs)
    usable = [runs for runs in found if runs.labels]
    if not usable:
        raise DataError(f"no run is ok, so there is nothing to compare; the reasons are in {store.root}")
    return dataset, usable


def _of_row(row: TableRow, difference: str, store: Store) -> MethodRuns:
    """Return the runs of a row with their labels."""
    labels = {}
    for record in row.cell.ok:
        array = stored_array(store.folder(record["dataset"], record["method"], record["key"]) / "labels.npy")
        if array is None:
            _LOG.warning("labels of %s, seed %s, cannot be read and are left out", row.label, record["seed"])
        else:
            labels[int(record["seed"])] = array.astype(np.int64)
    return MethodRuns(f"{row.label} {difference}".rstrip(), row, labels)


def _tell_failures(runs: MethodRuns) -> None:
    """Say which runs are missing from the comparison, and why."""
    for seed, status, message in runs.row.cell.failures:
        _LOG.warning("%s, seed %s, is left out: %s: %s", runs.name, seed, status, message.splitlines()[0])
