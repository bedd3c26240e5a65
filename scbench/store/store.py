"""The run store: one folder per run, ``STORE/<dataset>/<method>/<key[:16]>/``, written whole or not at all.

Many processes and machines may write to one store: a run is written to a temporary folder of the store and
renamed to its place, so no locks are needed and a reader never sees half a record.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scbench.errors import StoreError
from scbench.metrics.registry import SCORES
from scbench.store.dead_work import remove_dead_files, remove_dead_work
from scbench.store.record_file import json_ready, read_record, write_json
from scbench.store.record_index import RecordIndex
from scbench.store.sweeps import FOLDER
from scbench.store.work_lock import WorkLock, hold
from scbench.whole_file import temporary_beside

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Store", "json_ready", "load", "write_json"]

_PROBE = "probe"
_PROBE_BYTES = 1 << 18
_ASIDE = "old-"  # a record that is being replaced
_WORK = ".work"  # where runs are written before they are renamed to their place


class Store:
    """A folder of run records."""

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root).expanduser().absolute()
        self._locks: dict[Path, WorkLock] = {}  # of the work folders made here

    def check_writable(self) -> None:
        """Make the folder and write to it once, so that a bad place is known before the first run.

        Raises:
            StoreError: when the folder cannot be made or written, or the disk is full.
        """
        probe = None
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            probe = temporary_beside(self.root / _PROBE)
            with probe.open("wb") as file:
                file.write(os.urandom(_PROBE_BYTES))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StoreError(
                f"store {self.root} cannot be written ({error.strerror or error}); make it writable, free some space "
                "there, or choose another folder with store=DIR"
            ) from error
        finally:
            if probe is not None:
                with suppress(OSError):  # the folder cannot be written; that has been reported
                    probe.unlink(missing_ok=True)

    def is_writable(self) -> bool:
        """Return whether the store takes another run."""
        try:
            self.check_writable()
        except StoreError:
            return False
        return True

    def folder(self, dataset: str, method: str, key: str) -> Path:
        """Return where a run lives."""
        return self.root / dataset / method / key[:16]

    def find(self, dataset: str, method: str, key: str) -> dict[str, Any] | None:
        """Return the record of a run, or None when there is none that can be read."""
        record = read_record(self.folder(dataset, method, key))
        return record if record is not None and record["key"] == key else None

    def work_folder(self, place: str) -> Path:
        """Return a new temporary folder for a run; :meth:`publish` moves it to its place.

        Its path says nothing about the dataset, because a method can come by it. Until it is published or left, it is
        locked, so that no other command takes it for one of the dead.
        """
        work = self._locked(hashlib.sha256(place.encode()).hexdigest()[:16])
        work.mkdir()
        return work

    def lock_of(self, work: Path) -> WorkLock | None:
        """Return the lock of a work folder, for a process that works there to hold as well; None without one."""
        return self._locks.get(work)

    def leave(self, work: Path) -> None:
        """Give back the lock of a work folder that nothing more is done with."""
        lock = self._locks.pop(work, None)
        if lock is not None:
            lock.leave(keeps_file=work.exists())

    def publish(self, work: Path, record: dict[str, Any]) -> None:
        """Write the record into the work folder and rename the folder to its place.

        An ``ok`` record that is already there stays, and the new folder is dropped: the first writer wins, and a
        failure never replaces a result.

        Raises:
            OSError: when the record cannot be written; what was stored before is untouched.
        """
        final = self.folder(record["dataset"], record["method"], record["key"])
        write_json(work / "record.json", record)
        final.parent.mkdir(parents=True, exist_ok=True)
        for _ in range(100):
            try:
                os.rename(work, final)
            except OSError:
                if not final.exists():
                    raise
                if self._is_result(final, record["key"]) or not self._clear(final, record["key"], work):
                    shutil.rmtree(work, ignore_errors=True)
                elif work.exists():
                    continue
            self.leave(work)
            return
        raise StoreError(f"cannot put a run at {final}: other processes keep writing there")

    def amend(self, record: dict[str, Any]) -> None:
        """Write a result's record anew, in its place, whole or not at all; its arrays stay.

        Raises:
            OSError: when it cannot be written; the record that was there stays.
        """
        write_json(self.folder(record["dataset"], record["method"], record["key"]) / "record.json", record)

    def forget_failure(self, dataset: str, method: str, key: str) -> None:
        """Remove the record of a failed run that has to be tried again; a result stays."""
        final = self.folder(dataset, method, key)
        if final.exists() and not self._is_result(final, key):
            self._clear(final, key)

    def _is_result(self, folder: Path, key: str) -> bool:
        """Return whether a folder holds the ``ok`` record of a run."""
        record = read_record(folder)
        return record is not None and record["key"] == key and record["status"] == "ok"

    def _clear(self, final: Path, key: str, work: Path | None = None) -> bool:
        """Take a failed or damaged run out of the way; return False when a result had come there meanwhile.

        The folder that is to be there instead takes its place before it is removed: when this process is killed, one of
        the two is there, or can be brought back.

        The check comes after the rename: between a look and a rename another process could have put its result
        there. Losing a race for the folder itself is fine.
        """
        aside = self._locked(f"{_ASIDE}{final.name}")
        try:
            return self._clear_to(aside, final, key, work)
        finally:
            self.leave(aside)

    def _clear_to(self, aside: Path, final: Path, key: str, work: Path | None) -> bool:
        """Do so by way of a folder that no other process touches."""
        try:
            os.rename(final, aside)
        except FileNotFoundError:
            return True
        if not self._is_result(aside, key):
            if work is not None:
                with suppress(OSError):  # another process has put a run there; the caller looks again
                    os.rename(work, final)
            shutil.rmtree(aside, ignore_errors=True)
            return True
        try:
            os.rename(aside, final)
        except OSError:  # a third process has put a run there; a result of the same key is as good
            if self._is_result(final, key):
                shutil.rmtree(aside, ignore_errors=True)
            else:
                dropped = self._temporary(f"dropped-{final.name}")
                os.rename(final, dropped)
                os.rename(aside, final)
                shutil.rmtree(dropped, ignore_errors=True)
        return False

    def _temporary(self, name: str) -> Path:
        """Return a path for this process only, on the disk of the store.

        Hosts and process numbers are not enough for that: two containers may have both in common.
        """
        return self.root / _WORK / f"{name}-{secrets.token_hex(4)}.{socket.gethostname()}.{os.getpid()}"

    def _locked(self, name: str) -> Path:
        """Return such a path whose lock this process holds."""
        path = self._temporary(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._locks[path] = hold(path)
        return path

    def remove_leftovers(self) -> None:
        """Remove what processes that died have left; the folders and files of living or foreign ones stay."""
        remove_dead_work(self.root / _WORK, self._bring_back)
        remove_dead_files(self.root / FOLDER)
        RecordIndex(self.root).remove_leftovers()

    def _bring_back(self, aside: Path) -> bool:
        """Put a record back whose process died between taking it away and putting another in its place."""
        record = read_record(aside) if aside.name.startswith(_ASIDE) else None
        if record is None:
            return False
        final = self.folder(record["dataset"], record["method"], record["key"])
        if final.exists():
            return False
        os.rename(aside, final)
        return True

    def run_folders(self) -> list[Path]:
        """Return the folders of all runs, those without a readable record included."""
        return [path for path in self.root.glob("[!.]*/[!.]*/[!.]*") if path.is_dir()]

    def records(self) -> Iterator[dict[str, Any]]:
        """Yield every record that can be read, in a fixed order; others are reported and skipped.

        Raises:
            StoreError: when the store does not exist.
        """
        if not self.root.is_dir():
            raise StoreError(
                f"store {self.root} does not exist; run something first, or give its folder with store=DIR"
            )
        yield from RecordIndex(self.root).records()


def load(store: Path | str) -> pd.DataFrame:
    """Return the records of a store, one row each; nested keys are joined by dots (``metrics.acc``).

    Lists (such as ``provenance.argv``) stay lists in their cells. Records of another schema and folders without a
    readable record are left out with a warning.

    Raises:
        StoreError: when the store does not exist.
    """
    import pandas as pd  # half a second that one stored run can do without

    return pd.json_normalize([_with_nulls(record) for record in Store(store).records()], sep=".")


def _with_nulls(record: dict[str, Any]) -> dict[str, Any]:
    """Give what is null its parts, so that a table has the same columns whatever happened."""
    parts = {
        "error": ("type", "message", "traceback"),
        "best_epoch": ("epoch", *SCORES),
        "preset": ("name", "source", "tuned_with_labels"),
    }
    return record | {name: record.get(name) or dict.fromkeys(keys) for name, keys in parts.items()}
