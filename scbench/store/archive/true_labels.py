"""Scores of a run that comes from elsewhere, made anew where the true labels of its cells are on this machine."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from scbench.data.config import Subsample
from scbench.data.file_index import FileIndex
from scbench.data.load import open_dataset
from scbench.data.locate import locate
from scbench.data.registry import dataset_names, load_dataset
from scbench.data.subsample import kept_cells
from scbench.errors import ScbenchError
from scbench.metrics import score
from scbench.store.record import canonical_json

__all__ = ["TrueLabels", "differing_score", "wrong_scores"]

_LOG = logging.getLogger(__name__)
_TOLERANCE = 1e-6  # another machine adds in another order
_RESTORED_TOLERANCE = 1e-4  # such scores were read off a page


class TrueLabels:
    """The labels of the registered datasets on this machine, each read once. Nothing is downloaded."""

    def __init__(self) -> None:
        self._known: dict[str, np.ndarray | None] = {}

    def of(self, record: Mapping[str, Any]) -> np.ndarray | None:
        """Return the labels of the very data that a run was made on, (n_cells,) in file order; None when not here.

        Data count as the same when their checksum is and when they were read in the same way. Of a subsample the
        labels are taken from the whole.
        """
        data = record["data"]
        preprocessing = dict(data.get("preprocessing") or {})
        subsample = preprocessing.pop("subsample", None)
        part = data.get("part_of")
        name = part.get("name") if isinstance(part, dict) else record["dataset"]
        wanted = canonical_json({"name": name, "sha256": data["sha256"], "preprocessing": preprocessing})
        if wanted not in self._known:
            self._known[wanted] = self._read(name, data["sha256"], preprocessing)
        labels = self._known[wanted]
        if labels is not None and subsample is not None:
            labels = _part(labels, subsample)
        return labels if labels is not None and len(labels) == record["n_cells"] else None

    def _read(self, name: object, sha256: str, preprocessing: Mapping[str, Any]) -> np.ndarray | None:
        """Return the labels of a registered dataset; None when it is not here or not the same."""
        if not isinstance(name, str) or name not in self._names:
            return None
        try:
            config = load_dataset(name)
            located = locate(config, self._index)
            if located is None or (located.label_sha256 is None and located.sha256 != sha256):
                return None
            dataset = open_dataset(config, progress=False)
            if (dataset.sha256, dataset.preprocessing) != (sha256, preprocessing):
                return None
            return dataset.labels()
        except (ScbenchError, OSError) as error:
            _LOG.debug("scores on %s are not checked: %s", name, error)
            return None

    @cached_property
    def _names(self) -> set[str]:
        return set(dataset_names())

    @cached_property
    def _index(self) -> FileIndex:
        return FileIndex()


def wrong_scores(record: Mapping[str, Any], folder: Path, labels_true: np.ndarray) -> str:
    """Return which score of a result is not the one of its labels; empty for none.

    Args:
        record: a whole one, ``ok``, whose files have been checked.
        folder: where ``labels.npy`` lies, and ``snapshots.npz`` where there is one.
        labels_true: (n_cells,).
    """
    scores = score(labels_true, np.load(folder / "labels.npy", allow_pickle=False))
    wrong = differing_score(record, "metrics", scores)
    best = record["best_epoch"]
    if wrong or best is None or not (folder / "snapshots.npz").is_file():
        return wrong
    with np.load(folder / "snapshots.npz", allow_pickle=False) as stored:
        places = np.flatnonzero(stored["epochs"] == best["epoch"])
        found = [score(labels_true, stored["labels"][place]) for place in places]
    if not found:
        return f"best_epoch.epoch is {best['epoch']}, of which snapshots.npz has no labels"
    return min((differing_score(record, "best_epoch", one) for one in found), key=len)


def differing_score(record: Mapping[str, Any], place: str, made: Mapping[str, float]) -> str:
    """Return the first stored score that is not the one made anew; empty for none.

    Args:
        record: a whole one.
        place: ``metrics`` or ``best_epoch``. A metric that is missing there differs from nothing; null is no score.
        made: from the labels.
    """
    tolerance = _RESTORED_TOLERANCE if "restored_from" in record["provenance"] else _TOLERANCE
    stored = record[place]
    for name, value in made.items():
        found = stored.get(name)
        if name in stored and (found is None or abs(found - value) > tolerance):
            return f"{place}.{name} is {found}; the labels give {value:.6g}"
    return ""


def _part(labels: np.ndarray, subsample: object) -> np.ndarray | None:
    """Return the labels of the cells of a subsample; None when it says nothing that could be chosen."""
    try:
        choice = Subsample(**subsample)  # type: ignore[arg-type]  # whatever a record holds
        return np.asarray(labels[kept_cells(len(labels), choice.share, choice.seed)])
    except (TypeError, ValueError):
        return None
