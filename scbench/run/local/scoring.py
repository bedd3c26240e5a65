"""Finish a run from what its process has stored: check the arrays, put them in file order, score and publish them.

This runs in a process that has never run a method's code, so a method that has replaced the scores, or anything else
of its own process, has replaced them for itself alone.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import numpy as np

from scbench.errors import StoreError
from scbench.metrics import score
from scbench.result_check import check_arrays
from scbench.run.local.arrays import DTYPES, cannot_store, read_array, read_snapshots, remove_arrays, write_array
from scbench.run.local.fitted import Fitted
from scbench.run.seeding import put_back
from scbench.store.cell_labels import CELL_LABELS, write_cell_labels
from scbench.store.record import error_of
from scbench.store.record_file import json_ready
from scbench.store.store import Store

__all__ = ["finish"]


def finish(fitted: Fitted) -> dict[str, Any]:
    """Publish a run and return its record, which is a failure when its arrays are not what they have to be."""
    record = dict(fitted.record)
    if record["status"] == "ok":
        started = time.perf_counter()
        try:
            record |= _scored(fitted)
        except StoreError as error:
            record |= _not_stored(error)
        except Exception as error:
            record |= {"status": "error", "error": error_of(error)}
        seconds = time.perf_counter() - started
        total = record["seconds"]["total"]
        record["seconds"] = record["seconds"] | {"score": seconds, "total": None if total is None else total + seconds}
    told: dict[str, Any] = json_ready(record)  # what is stored is what the command hears
    _publish(fitted, told)
    return told


def _scored(fitted: Fitted) -> dict[str, Any]:
    """Put the arrays of a run in file order and return what is found in them, as fields of its record."""
    n_cells, order = fitted.dataset.n_cells, fitted.dataset.order()
    arrays = {name: read_array(fitted.work, name) for name in DTYPES}
    check_arrays(arrays["labels"], arrays["embedding"], arrays["soft"], n_cells)
    in_file_order = {name: put_back(array, order) for name, array in arrays.items() if array is not None}
    labels = in_file_order["labels"].astype(np.int64)
    found: dict[str, Any] = {"n_clusters_found": len(np.unique(labels))}
    labels_true, cells = fitted.dataset.labels(), fitted.dataset.cells()
    if labels_true is not None:
        found["metrics"] = fitted.record["metrics"] | score(labels_true, labels)
    snapshots = read_snapshots(fitted.work, n_cells)
    if snapshots is not None:
        epochs, at_each = snapshots[0], put_back(snapshots[1].T, order).T
        if labels_true is not None and fitted.protocol == "published":
            found["best_epoch"] = _best_epoch(labels_true, epochs, at_each)
    try:
        for name, array in in_file_order.items():
            write_array(fitted.work, name, array)
        (fitted.work / CELL_LABELS).unlink(missing_ok=True)  # what a method has left there is not ours
        if cells is not None:
            write_cell_labels(fitted.work, cells, labels, in_file_order.get("soft"))
        if snapshots is not None:
            np.savez_compressed(fitted.work / "snapshots.npz", epochs=epochs, labels=at_each)
    except OSError as error:
        raise cannot_store(fitted.store, error) from error
    return found


def _best_epoch(labels_true: np.ndarray, epochs: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Return the snapshot with the highest ACC, as the published programs pick it; made with labels, never ranked."""
    scored = [{"epoch": int(epoch), **score(labels_true, at)} for epoch, at in zip(epochs, labels, strict=True)]
    return max(scored, key=lambda entry: entry["acc"])


def _not_stored(error: StoreError) -> dict[str, Any]:
    """Return the fields of a run that the disk does not take: no failure, and made again when there is space."""
    return {"status": "interrupted", "error": error_of(error)}


def _publish(fitted: Fitted, record: dict[str, Any]) -> None:
    """Store the record; on a full disk give up the arrays, so that at least the reason is on record."""
    store = Store(fitted.store)
    if record["status"] != "ok":  # a result that failed its checks or was stored in part is not a result
        remove_arrays(fitted.work)
    try:
        store.publish(fitted.work, record)
    except OSError as error:
        record |= _not_stored(cannot_store(fitted.store, error))
        record["metrics"] = dict.fromkeys(record["metrics"])
        remove_arrays(fitted.work)
        with suppress(OSError):  # not even the reason can be stored; the command is told all the same
            store.publish(fitted.work, record)
