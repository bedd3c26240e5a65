"""A copy of a store's records in one file, so that thousands of them are read at once.

It can be deleted at any time. An entry counts only while its ``record.json`` is the very file that was read (place,
inode, size, times); whatever else lies in the store is read from its own file, and what is gone is left out.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scbench.renames import current_record
from scbench.store.record_file import read_record
from scbench.whole_file import remove_dead_beside, write_whole

__all__ = ["RecordIndex"]

_LOG = logging.getLogger(__name__)
_VERSION = 2  # its records have been checked
# Writing the index costs as much as reading some hundred records, so a few new ones do not make it worth while.
_WORTH_WRITING = 200
_WORTH_WRITING_SHARE = 0.02

Entry = tuple[list[int], dict[str, Any]]  # signature of the file, record


class RecordIndex:
    """The records of a store, through its index.

    Args:
        root: the store; it has to exist.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._file = root / ".index" / "records.json"

    def records(self) -> Iterator[dict[str, Any]]:
        """Yield every record that can be read, in the order of their folders; others are reported and skipped."""
        known, entries, n_read, n_left_out = self._load(), {}, 0, 0
        for place in self._places():
            signature = _signature(self._root / place / "record.json")
            entry = known.get(place)
            if entry is None or signature is None or list(entry[0]) != signature:
                record = read_record(self._root / place)
                n_read += 1
                if record is None or signature is None:
                    n_left_out += 1
                    continue
                entry = (signature, record)
            entries[place] = entry
            yield current_record(entry[1])  # the index may be older than the name of a parameter
        if n_left_out:
            n_runs = len(entries) + n_left_out
            _LOG.warning("%d of %d runs in %s are left out: no record that can be read", n_left_out, n_runs, self._root)
        n_gone = len(known.keys() - entries.keys())
        if n_read + n_gone >= max(_WORTH_WRITING, _WORTH_WRITING_SHARE * len(entries)):
            self._write(entries)

    def remove_leftovers(self) -> None:
        """Remove what processes have left that were killed while they wrote the file."""
        remove_dead_beside(self._file)

    def _places(self) -> Iterator[str]:
        """Yield ``dataset/method/key`` of every run's folder, sorted."""
        for dataset in _folders(self._root):
            for method in _folders(self._root / dataset):
                for key in _folders(self._root / dataset / method):
                    yield f"{dataset}/{method}/{key}"

    def _load(self) -> dict[str, Entry]:
        """Return the entries of the file; none when it is not there or not what was written."""
        try:
            head, _, body = self._file.read_bytes().partition(b"\n")
            if json.loads(head) != _head(body):
                raise ValueError("its content is not what was written")
            entries: dict[str, Entry] = json.loads(body)
            if not all(len(entry) == 2 and type(entry[1]) is dict for entry in entries.values()):
                raise ValueError("it holds something else than records")
            return entries
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
            _LOG.debug("%s is made anew: %s", self._file, error)
            return {}

    def _write(self, entries: dict[str, Entry]) -> None:
        """Write the file, whole or not at all; a store that cannot be written goes without."""
        try:
            self._file.parent.mkdir(exist_ok=True)
            body = json.dumps(entries, separators=(",", ":")).encode()
            write_whole(self._file, json.dumps(_head(body)).encode() + b"\n" + body)
        except OSError as error:
            _LOG.debug("%s is not written: %s", self._file, error)


def _head(body: bytes) -> dict[str, Any]:
    """Return the first line of the file: a cut or damaged one is noticed."""
    return {"version": _VERSION, "sha256": hashlib.sha256(body).hexdigest()}


def _signature(path: Path) -> list[int] | None:
    """Return what tells a file from every other that was or will be at its place; None when there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return [found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]


def _folders(folder: Path) -> list[str]:
    """Return the sorted names of the folders in a folder, hidden ones left out."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if not entry.name.startswith(".") and entry.is_dir())
    except OSError:  # removed meanwhile, or a file
        return []
