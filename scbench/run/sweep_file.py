"""What a command that is under way says about itself: a small file in the store, for ``python -m scbench.status``."""

from __future__ import annotations

import json
import logging
import os
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from scbench.run.plan import PlannedRun
from scbench.store.sweeps import _HEARTBEAT_SECONDS, FOLDER

__all__ = ["SweepFile"]

_LOG = logging.getLogger(__name__)
_AT_MOST_EVERY_SECONDS = 1.0


class SweepFile:
    """A listener that keeps the file up to date while its ``with`` block lasts, and removes it then.

    Args:
        root: the store.
        argv: the command.
        n_runs: runs that it has to make.
        n_cached: runs that were there before.
        job: name of the SLURM job that works on a part of another command's runs; empty for a command of its own.
    """

    def __init__(self, root: Path, argv: Sequence[str], n_runs: int, n_cached: int, job: str = "") -> None:
        host = socket.gethostname()
        self._path = root / FOLDER / f"{job or 'sweep'}.{host}.{os.getpid()}"
        self._running: dict[str, dict[str, Any]] = {}
        self._ended: dict[str, int] = {}
        self._about = {
            "host": host,
            "pid": os.getpid(),
            "job": job,
            "argv": list(argv),
            "started_at": time.time(),
            "n_runs": n_runs,
            "n_cached": n_cached,
        }
        self._written = 0.0
        self._changed = True
        self._failed = False

    def __enter__(self) -> SweepFile:
        """Write the file for the first time."""
        self._write()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the file."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def started(self, run: PlannedRun, device: str) -> None:
        """Note a run."""
        about = {"method": run.config.name, "dataset": run.dataset.name, "seed": run.seed, "device": device}
        self._running[run.run_id] = about | {"since": time.time(), "epoch": None}
        self._changed = True

    def progress(self, run: PlannedRun, epoch: int, values: Mapping[str, float]) -> None:
        """Note the epoch."""
        self._running[run.run_id]["epoch"] = epoch
        self._changed = True

    def ended(self, run: PlannedRun, record: Mapping[str, Any], *, will_retry: bool = False) -> None:
        """Count a run by its status."""
        self._running.pop(run.run_id, None)
        if not will_retry:
            self._ended[record["status"]] = self._ended.get(record["status"], 0) + 1
        self._changed = True

    def stopping(self) -> None:
        """The runs that end now are counted as they end."""

    def tick(self) -> None:
        """Write what has changed, once a second; without changes now and then, as a sign of life."""
        age = time.monotonic() - self._written
        if age > _HEARTBEAT_SECONDS or (self._changed and age > _AT_MOST_EVERY_SECONDS):
            self._write()

    def _write(self) -> None:
        """Write the file, whole or not at all; a full disk is no reason to stop a sweep."""
        self._written, self._changed = time.monotonic(), False
        state = {**self._about, "updated_at": time.time(), "ended": self._ended, "running": [*self._running.values()]}
        temporary = self._path.with_name(f".{self._path.name}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(state), encoding="utf-8")
            os.replace(temporary, self._path)
        except OSError as error:
            if not self._failed:
                _LOG.warning("%s cannot be written (%s); scbench.status will not show this command", self._path, error)
            self._failed = True
