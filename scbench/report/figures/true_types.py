"""True labels for figures: from the registered dataset that the runs were made on, when it is on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scbench.data.load import Dataset, open_dataset
from scbench.data.locate import locate
from scbench.data.registry import dataset_names, load_dataset
from scbench.errors import ScbenchError
from scbench.metrics.contingency import encode

__all__ = ["NoTruthError", "Truth", "as_truth", "same_dataset", "true_labels"]

_LONGEST = 40  # letters of a type's name


class NoTruthError(ScbenchError):
    """Why a dataset or its labels cannot be had; what needs them is left out, and this is said."""


@dataclass(frozen=True)
class Truth:
    """The annotated types of a dataset.

    Attributes:
        codes: (n_cells,) int64; 0 is the largest type.
        names: by code.
        sizes: (n_types,) cells of each.
    """

    codes: np.ndarray
    names: tuple[str, ...]
    sizes: np.ndarray

    @property
    def shown(self) -> list[str]:
        """Return what figures call each type: ``1. alpha (343)``, ``2. type 0 (236)``; long names are cut."""
        named = [f"type {name}" if name.replace(".", "").isdigit() else name for name in self.names]
        return [
            f"{number}. {name if len(name) <= _LONGEST else name[: _LONGEST - 1] + '…'} ({size})"
            for number, (name, size) in enumerate(zip(named, self.sizes, strict=True), start=1)
        ]


def same_dataset(record: Mapping[str, Any]) -> Dataset:
    """Return the dataset that a run was made on, from this machine. Nothing is downloaded.

    Raises:
        NoTruthError: it is not registered, not on this machine, or not what the run was made on.
    """
    name = str(record.get("stored_dataset", record["dataset"]))
    if name not in dataset_names():
        raise NoTruthError(f"{name} is no registered dataset, so its counts and labels are not at hand")
    try:
        config = load_dataset(name)
        if locate(config) is None:
            raise NoTruthError(f"{name} is not on this machine; python -m scbench.datasets fetch {name} gets it")
        dataset = open_dataset(config, progress=False)
    except ScbenchError as error:
        raise error if isinstance(error, NoTruthError) else NoTruthError(f"{name} cannot be opened: {error}") from error
    if dataset.sha256 != record["data"]["sha256"]:
        raise NoTruthError(f"{name} on this machine is another file than the one that runs were made on")
    if dataset.preprocessing != record["data"].get("preprocessing"):
        raise NoTruthError(f"{name} was read in another way by these runs (labels, rounding or values)")
    return dataset


def true_labels(record: Mapping[str, Any]) -> Truth:
    """Return the labels of a record's dataset. Nothing is downloaded.

    Raises:
        NoTruthError: as :func:`same_dataset`, or the dataset is unlabelled.
    """
    dataset = same_dataset(record)
    labels = dataset.labels()
    if labels is None or len(labels) != record["n_cells"]:
        raise NoTruthError(f"{dataset.name} has no labels for the cells of these runs")
    return as_truth(labels)


def as_truth(labels: np.ndarray) -> Truth:
    """Return labels as codes with the largest type first; types of equal size by name."""
    codes, uniques = encode(labels, "labels")
    sizes = np.bincount(codes)
    order = sorted(range(len(sizes)), key=lambda code: (-sizes[code], str(uniques[code])))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return Truth(place[codes], tuple(str(uniques[code]) for code in order), sizes[order])
