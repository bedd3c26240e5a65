"""Where a command says that the labels of one's own cells are, and files that earlier runs lack."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scbench.data.dataset import Dataset
from scbench.run.plan import PlannedRun
from scbench.store.cell_labels import CELL_LABELS, add_cell_labels
from scbench.store.store import Store
from scbench.store.stored_arrays import stored_array

__all__ = ["labels_home"]

_LOG = logging.getLogger(__name__)


def labels_home(runs: Sequence[PlannedRun], records: Sequence[Mapping[str, Any]], store: Store) -> Iterator[str]:
    """Yield what to say of the labels of each dataset that is a user's own file.

    A result that has no ``labels.csv``, because an earlier version made it, gets one: the file is open here.

    Args:
        runs: of the command.
        records: of these runs, in their order.
        store: where they are.
    """
    by_dataset: dict[str, tuple[Dataset, list[Path]]] = {}
    for run, record in zip(runs, records, strict=True):
        if record["status"] == "ok" and run.dataset.cells_path is not None:
            folder = store.folder(run.dataset.name, run.config.name, run.key)
            by_dataset.setdefault(run.dataset.name, (run.dataset, []))[1].append(folder)
    for dataset, folders in by_dataset.values():
        _fill_in(dataset, [folder for folder in folders if not (folder / CELL_LABELS).exists()])
        there = [folder / CELL_LABELS for folder in folders if (folder / CELL_LABELS).exists()]
        if not there:
            continue
        n_out = 0 if dataset.n_in_file is None else dataset.n_in_file - dataset.n_cells
        left_out = f"; {n_out} of the {dataset.n_in_file} cells of the file were left out and are not in it"
        if len(there) == 1:
            where = str(there[0])
        else:
            where = (
                f"{CELL_LABELS} of each run in {store.root / dataset.name}; all in one table, with the consensus of "
                f"the seeds: python -m scbench.labels store={store.root} dataset={dataset.name} out=clusters.csv"
            )
        yield f"labels of the cells: {where}{left_out if n_out else ''}"


def _fill_in(dataset: Dataset, folders: Sequence[Path]) -> None:
    """Write the file of results that have none."""
    names = dataset.cells() if folders else None
    for folder in folders:
        labels, soft = stored_array(folder / "labels.npy"), stored_array(folder / "soft.npy")
        if names is None or labels is None or labels.shape != (dataset.n_cells,):
            continue
        if soft is not None and (soft.ndim != 2 or len(soft) != dataset.n_cells):
            soft = None
        try:
            add_cell_labels(folder, names, labels.astype(np.int64), soft)
        except OSError as error:
            _LOG.warning("%s cannot be written (%s)", folder / CELL_LABELS, error.strerror or error)
