"""What a run reports while it works: history, snapshots, and progress for the display."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from scbench.run.seeding import put_back

__all__ = ["Recorder"]

_PROGRESS_SECONDS = 0.2  # between two messages to the display


class Recorder:
    """Keep a run's history and snapshots.

    Args:
        folder: the run's work folder; ``history.csv`` grows there, so that a killed run keeps its history.
        n_cells: how many labels a snapshot must have. The run's permutation is not known here: a method can reach
            its recorder, and the place of a cell in the file can tell its type.
        on_progress: called at most five times a second with the epoch and its values.
    """

    def __init__(self, folder: Path, n_cells: int, on_progress: Callable[[int, dict[str, float]], None]) -> None:
        self._path = folder / "history.csv"
        self._n_cells = n_cells
        self._on_progress = on_progress
        self._columns: list[str] = []
        self._rows: list[dict[str, float]] = []
        self._last_progress = 0.0
        self._epochs: list[int] = []
        self._labels: list[np.ndarray] = []

    def log(self, epoch: int, values: dict[str, float]) -> None:
        """Append one row to the history; values that were not there before become new columns."""
        row = {"epoch": epoch, **values}
        self._rows.append(row)
        new = [name for name in row if name not in self._columns]
        self._columns += new
        with self._path.open("w" if new else "a", newline="") as file:
            writer = csv.DictWriter(file, self._columns, restval="")
            if new:
                writer.writeheader()
            writer.writerows(self._rows if new else [row])
        now = time.monotonic()
        if now - self._last_progress > _PROGRESS_SECONDS:
            self._last_progress = now
            self._on_progress(epoch, values)

    def snapshot(self, epoch: int, labels: np.ndarray) -> None:
        """Keep the labels of one epoch.

        Raises:
            ValueError: when there is not one label per cell.
        """
        given = np.array(labels, dtype=np.int32)
        if given.shape != (self._n_cells,):
            raise ValueError(f"snapshot labels must have shape ({self._n_cells},), got {given.shape}")
        self._epochs.append(epoch)
        self._labels.append(given)

    def snapshots(self, order: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """Return epochs (n,) and labels (n, n_cells) in file order, or None when there are no snapshots.

        Args:
            order: the run's permutation.
        """
        if not self._epochs:
            return None
        return np.asarray(self._epochs), put_back(np.stack(self._labels, axis=1), order).T
