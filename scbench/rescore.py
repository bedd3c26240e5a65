"""``python -m scbench.rescore [store=DIR]``: compute metrics that stored runs lack, from their stored labels.

A metric that came later is missing in the records of earlier runs, and tables then say over how many runs they average.
This adds what is missing and changes nothing else: runs whose stored scores are not those of their labels are named and
left as they are. It needs the true labels, so it is for registered datasets that are on this machine.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scbench.errors import ConfigError, ScbenchError, StoreError
from scbench.escape import one_line
from scbench.messages import complain
from scbench.metrics.registry import SCORES
from scbench.names import unknown

__all__ = ["main", "rescore"]

_SHOWN = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Rescore a store and say what was done.

    Returns:
        0: every run with true labels has every metric; 1: some still lack one; 2: the command is wrong.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if {"-h", "--help"} & set(given):
        sys.stdout.write(f"{__doc__}\n")
        return 0
    try:
        added, left = rescore(_store(given))
    except ScbenchError as error:
        complain(error)
        return 2
    names = ", ".join(f"{name} to {n}" for name, n in added.items())
    sys.stdout.write(f"added {names} runs\n" if added else "nothing was missing that could be added\n")
    for reason, runs in left.items():
        more = "" if len(runs) <= _SHOWN else f" and {len(runs) - _SHOWN} more"
        sys.stdout.write(one_line(f"{len(runs)} left as they are, {reason}: {', '.join(runs[:_SHOWN])}{more}") + "\n")
    return 1 if left else 0


def _store(given: Sequence[str]) -> Path:
    """Return the store that the command names.

    Raises:
        ConfigError: another key or option, more than one store, or an empty one.
    """
    for argument in given:
        key, is_pair, _ = argument.partition("=")
        if key != "store" and (is_pair or key.startswith("-")):
            raise ConfigError(unknown("key", key, ["store"]))
    if len(given) > 1:
        raise ConfigError(f"one store at a time, got {len(given)}: {', '.join(given)}; give one, as in store=DIR")
    path = given[0].removeprefix("store=") if given else "results/runs"
    if not path:
        raise ConfigError("store is empty; give a folder, for example store=results/runs")
    return Path(path)


def rescore(root: Path) -> tuple[dict[str, int], dict[str, list[str]]]:
    """Add missing metrics to the records of a store.

    Args:
        root: of the store.

    Returns:
        How many runs got each metric; and the runs that still lack one, by the reason.

    Raises:
        StoreError: when there is no such store, or a record cannot be written.
    """
    from scbench.store.archive.true_labels import TrueLabels
    from scbench.store.store import Store

    store, labels = Store(root), TrueLabels()
    added: Counter[str] = Counter()
    left: dict[str, list[str]] = {}
    for record in list(store.records()):
        if record["status"] != "ok" or not record["n_types"] or not _lacks(record):
            continue
        folder = store.folder(record["dataset"], record["method"], record["key"])
        found = _scored(record, folder, labels)
        if isinstance(found, str):
            left.setdefault(found, []).append(str(folder.relative_to(store.root)))
            continue
        added.update(name for name in SCORES if record["metrics"].get(name) is None)
        try:
            store.amend(found)
        except OSError as error:
            raise StoreError(f"{folder} cannot be written ({error.strerror or error}); free some space") from error
    return dict(added), left


def _lacks(record: Mapping[str, Any]) -> bool:
    """Return whether a metric is missing."""
    return any(record["metrics"].get(name) is None for name in SCORES)


def _scored(record: Mapping[str, Any], folder: Path, labels: Any) -> dict[str, Any] | str:
    """Return the record with all metrics, or why that cannot be had."""
    from scbench.metrics import score
    from scbench.store.archive.true_labels import differing_score
    from scbench.store.stored_arrays import stored_array, stored_snapshots

    labels_true = labels.of(record)
    if labels_true is None:
        return f"the labels of {record['dataset']} are not among the registered datasets on this machine"
    stored = stored_array(folder / "labels.npy")
    if stored is None or stored.shape != labels_true.shape:
        return "their own labels are not stored"
    scores = score(labels_true, stored)
    if wrong := differing_score(record, "metrics", _known(record["metrics"], scores)):
        return wrong
    amended = dict(record) | {"metrics": record["metrics"] | scores}
    best, snapshots = record["best_epoch"], stored_snapshots(folder / "snapshots.npz", len(labels_true))
    if best and snapshots is not None:
        for at_epoch in snapshots[1][snapshots[0] == best["epoch"]]:
            scores = score(labels_true, at_epoch)
            if not differing_score(record, "best_epoch", _known(best, scores)):
                amended["best_epoch"] = best | scores
    return amended


def _known(stored: Mapping[str, Any], scores: Mapping[str, float]) -> dict[str, float]:
    """Return those of the scores that are stored already."""
    return {name: value for name, value in scores.items() if stored.get(name) is not None}


if __name__ == "__main__":
    sys.exit(main())
