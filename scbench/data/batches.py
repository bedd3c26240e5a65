"""Counts, types and batches of the same cells, for a study across batches."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np

from scbench.data.config import DatasetConfig, SimulatedDataset
from scbench.data.origin import find_origin
from scbench.data.validate import check_content, mismatches
from scbench.errors import ConfigError, DataError
from scbench.method import Counts

__all__ = ["read_batches"]

_LOG = logging.getLogger(__name__)


def read_batches(config: DatasetConfig, column: str) -> tuple[Counts, np.ndarray, np.ndarray]:
    """Return counts, types and batches of a dataset in file order; what there is to say of the file is logged.

    Both columns are read before any cell is left out: ``unlabelled=drop`` drops the cells that lack either, so that
    row i of all three is the same cell. Nothing is cached.

    Args:
        config: of the dataset.
        column: of the batches.

    Returns:
        Counts, (n_cells,) types and (n_cells,) batches, both str.

    Raises:
        ConfigError: when the dataset has no types, or cannot have batches.
        DataError: the file is missing or damaged or has no such column, cells lack a type or a batch, or the content
            is not what the methods can work on.
    """
    if isinstance(config, SimulatedDataset):
        raise ConfigError("transfer needs batches, and simulated cells have none; take a file with a column of them")
    origin = find_origin(config)
    batches = find_origin(replace(config, label=column)).load().labels
    content = origin.load()
    types = content.labels
    if types is None or batches is None:
        raise ConfigError(f"transfer on {origin.name} needs labels and batches; name their columns, and leave out none")
    has_both = np.array([None not in pair for pair in zip(types, batches, strict=True)])
    if config.unlabelled == "error" and not has_both.all():
        raise DataError(
            f"dataset {origin.name}: {(~has_both).sum()} of {len(has_both)} cells have no type or no batch; pass "
            "dataset.unlabelled=drop to leave them out"
        )
    named = replace(config, name=origin.name)
    labels = types.copy()
    labels[~has_both] = None
    checked = check_content(replace(content, labels=labels), named)
    for line in (*checked.warnings, *mismatches(checked, named)):
        _LOG.warning("%s", line)
    counts = Counts(checked.matrix, checked.genes, checked.is_counts)
    return counts, types[has_both].astype(str), batches[has_both].astype(str)
