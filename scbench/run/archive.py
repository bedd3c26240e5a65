"""Runs of a store in one file that can be kept and passed on: records, labels and curves.

A compressed tar of ``<dataset>/<method>/<key[:16]>/<file>``, the folders of a store. The same runs give the same bytes.
"""

from __future__ import annotations

import io
import json
import lzma
import os
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np

from scbench.errors import StoreError
from scbench.run.folders import without_folders
from scbench.run.plan import SCHEMA
from scbench.run.record import FIELDS
from scbench.run.store import Store, json_ready

__all__ = ["FILES", "Unpacked", "pack", "unpack"]

FILES = {"labels": "labels.npy", "history": "history.csv", "snapshots": "snapshots.npz", "embedding": "embedding.npy",
         "soft": "soft.npy"}  # fmt: skip
_RECORD = "record.json"
_LARGEST = 1 << 30  # bytes of one file
_OF_A_MACHINE = ("provenance", "error", "data")  # fields of a record with paths in them


class Unpacked(NamedTuple):
    """How many runs an archive brought, and how many of them the store had already."""

    n_new: int
    n_known: int


def pack(store: Store, path: Path, kept: Sequence[str] = ("labels", "history")) -> int:
    """Write the runs of a store to one file and return how many they are.

    Absolute paths in a record are cut to their last part, so that nothing tells of the machine that made it. What a run
    has not stored is left out.

    Args:
        store: where the runs are.
        path: file to write; one that is there is replaced when the new one is whole.
        kept: names of ``FILES`` to take along with the records.

    Raises:
        StoreError: the store does not exist or holds no run, or the file cannot be written.
    """
    records = sorted(store.records(), key=lambda one: (one["dataset"], one["method"], one["key"]))
    if not records:
        raise StoreError(f"store {store.root} holds no run to pack")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(temporary, "w:xz", format=tarfile.PAX_FORMAT) as archive:
            for record in records:
                _add(archive, store.folder(record["dataset"], record["method"], record["key"]), record, kept)
        os.replace(temporary, path)
    except OSError as error:
        raise StoreError(f"{path} cannot be written ({error.strerror or error}); choose another place") from error
    finally:
        temporary.unlink(missing_ok=True)
    return len(records)


def _add(archive: tarfile.TarFile, folder: Path, record: dict[str, Any], kept: Sequence[str]) -> None:
    """Write one run."""
    shown = record | {name: without_folders(record[name]) for name in _OF_A_MACHINE}
    contents = {_RECORD: (json.dumps(json_ready(shown), indent=1, allow_nan=False) + "\n").encode()}
    for name in kept:
        file = folder / FILES[name]
        if file.is_file():
            contents[file.name] = file.read_bytes()
    for name in sorted(contents):
        member = tarfile.TarInfo(f"{record['dataset']}/{record['method']}/{record['key'][:16]}/{name}")
        member.size = len(contents[name])
        archive.addfile(member, io.BytesIO(contents[name]))


def unpack(path: Path, store: Store) -> Unpacked:
    """Put the runs of an archive into a store; a result that is there already stays as it is.

    Each run is written whole or not at all, so that an archive which ends too early costs only what it lacks.

    Raises:
        StoreError: the file cannot be read, is damaged or holds something else than runs, or the store cannot be
            written.
    """
    store.check_writable()
    n_new = n_known = 0
    try:
        with tarfile.open(path, "r:xz") as archive:
            for folder, contents in _runs(archive, path):
                record = _record_of(folder, contents, path)
                if store.find(record["dataset"], record["method"], record["key"]) is not None:
                    n_known += 1
                    continue
                _publish(store, record, contents)
                n_new += 1
    except (tarfile.TarError, lzma.LZMAError, EOFError) as error:
        raise StoreError(
            f"{path} is damaged or no archive of runs ({error}); {n_new} runs before the damage are in the store; get "
            "the file again"
        ) from error
    except OSError as error:
        raise StoreError(f"{path} cannot be unpacked to {store.root} ({error.strerror or error})") from error
    return Unpacked(n_new, n_known)


def _runs(archive: tarfile.TarFile, path: Path) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Yield the folder and the files of each run."""
    for folder, members in groupby(archive, key=lambda member: str(PurePosixPath(member.name).parent)):
        contents = {}
        for member in members:
            name = PurePosixPath(member.name).name
            parts = folder.split("/")
            is_place = len(parts) == 3 and not {"", ".", ".."} & set(parts)
            if not (member.isfile() and is_place and name in (_RECORD, *FILES.values()) and member.size <= _LARGEST):
                raise StoreError(f"{path} is no archive of runs: it holds {member.name!r}; nothing of it was unpacked")
            taken = archive.extractfile(member)
            contents[name] = b"" if taken is None else taken.read()
        yield folder, contents


def _record_of(folder: str, contents: Mapping[str, bytes], path: Path) -> dict[str, Any]:
    """Return the record of a run after a look at whether it belongs there."""
    try:
        record = json.loads(contents[_RECORD])
        missing = [name for name in FIELDS if name not in record]
        place = f"{record['dataset']}/{record['method']}/{record['key'][:16]}"
    except (KeyError, ValueError, TypeError) as error:
        raise StoreError(f"{path} has no readable record in {folder} ({error}); get the file again") from error
    if record["schema"] != SCHEMA:
        raise StoreError(
            f"{path} holds records of schema {record['schema']}, this version reads {SCHEMA}; use the version of "
            "scbench that made it"
        )
    if missing or place != folder:
        wrong = f"lacks {', '.join(missing)}" if missing else f"is of {place}"
        raise StoreError(f"the record in {folder} of {path} {wrong}; get the file again")
    if FILES["labels"] in contents:
        _check_labels(folder, contents[FILES["labels"]], record["n_cells"], path)
    return dict(record)


def _check_labels(folder: str, content: bytes, n_cells: int, path: Path) -> None:
    """Refuse labels that are not one for each cell."""
    try:
        labels = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise StoreError(f"the labels in {folder} of {path} cannot be read ({error}); get the file again") from error
    if labels.shape != (n_cells,):
        raise StoreError(f"the labels in {folder} of {path} have shape {labels.shape}, the run has {n_cells} cells")


def _publish(store: Store, record: dict[str, Any], contents: Mapping[str, bytes]) -> None:
    """Put one run into the store."""
    work = store.work_folder(f"{record['dataset']}/{record['method']}/{record['key']}")
    for name, content in contents.items():
        if name != _RECORD:
            (work / name).write_bytes(content)
    store.publish(work, record)
