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
from contextlib import suppress
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from scbench.errors import StoreError
from scbench.run.archived_record import DamagedArchiveError, checked_record
from scbench.run.folders import without_folders
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

    Absolute paths in provenance, error and source of a record are cut to their last part: others need not know the
    machine that made it. What a run has not stored is left out.

    Args:
        store: where the runs are.
        path: file to write; one that is there is replaced when the new one is whole.
        kept: names of ``FILES`` to take along with the records.

    Raises:
        StoreError: the store does not exist or holds no run, a file of it cannot be read, or the archive cannot be
            written.
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
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(f"{path} cannot be written ({error.strerror or error}); choose another place") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    return len(records)


def _add(archive: tarfile.TarFile, folder: Path, record: dict[str, Any], kept: Sequence[str]) -> None:
    """Write one run."""
    shown = record | {name: without_folders(record[name]) for name in _OF_A_MACHINE}
    contents = {_RECORD: (json.dumps(json_ready(shown), indent=1, allow_nan=False) + "\n").encode()}
    for name in kept:
        file = folder / FILES[name]
        try:
            contents[file.name] = file.read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise StoreError(f"{file} cannot be read ({error.strerror or error})") from error
        if len(contents[file.name]) > _LARGEST:
            raise StoreError(f"{file} is larger than the {_LARGEST >> 30} GiB that an archive takes; leave {name} out")
    for name in sorted(contents):
        member = tarfile.TarInfo(f"{record['dataset']}/{record['method']}/{record['key'][:16]}/{name}")
        member.size = len(contents[name])
        archive.addfile(member, io.BytesIO(contents[name]))


def unpack(path: Path, store: Store) -> Unpacked:
    """Put the runs of an archive into a store; a result that is there already stays, a failure gives way to a result.

    Each run is written whole or not at all, so that an archive which is damaged costs only what comes after the damage.

    Raises:
        StoreError: the file cannot be read, is damaged or holds something else than runs, or the store cannot be
            written.
    """
    n_new = n_known = 0

    def wrong(what: object) -> StoreError:
        there = f"; {n_new} runs that came before are in {store.root}" if n_new else ""
        return StoreError(f"{path}: {what}{there}")

    try:
        with lzma.open(path) as content, tarfile.open(fileobj=content, mode="r:") as archive:
            for folder, contents in _runs(archive):
                record = checked_record(folder, contents)
                if n_new + n_known == 0:
                    store.check_writable()
                there = store.find(record["dataset"], record["method"], record["key"])
                if there is not None and (there["status"] == "ok" or record["status"] != "ok"):
                    n_known += 1
                    continue
                _publish(store, record, contents)
                n_new += 1
            _check_end(content, archive.offset)
    except DamagedArchiveError as error:
        raise wrong(f"{error}; get the file again") from error
    except (tarfile.TarError, lzma.LZMAError, EOFError) as error:
        raise wrong(f"is damaged or no archive that 'pack' wrote ({error}); get the file again") from error
    except StoreError:
        raise
    except OSError as error:
        raise wrong(f"cannot be unpacked to {store.root} ({error.strerror or error})") from error
    if n_new + n_known == 0:
        raise wrong("holds no run")
    return Unpacked(n_new, n_known)


def _runs(archive: tarfile.TarFile) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Yield the folder and the files of each run."""
    for folder, members in groupby(archive, key=lambda member: str(PurePosixPath(member.name).parent)):
        contents = {}
        for member in members:
            name = PurePosixPath(member.name).name
            if not member.isfile() or folder.count("/") != 2 or name not in (_RECORD, *FILES.values()):
                raise DamagedArchiveError(f"is no archive of runs: it holds {member.name!r}")
            if member.size > _LARGEST:
                raise DamagedArchiveError(f"{member.name} is larger than {_LARGEST >> 30} GiB")
            taken = archive.extractfile(member)
            contents[name] = b"" if taken is None else taken.read()
        yield folder, contents


def _check_end(content: lzma.LZMAFile, offset: int) -> None:
    """Read what follows the last member: nothing but zeros, and a checksum that fits.

    A damaged header in the middle looks like the end to a reader of tar files.
    """
    content.seek(offset)
    while rest := content.read(1 << 20):
        if any(rest):
            raise DamagedArchiveError("is damaged")


def _publish(store: Store, record: dict[str, Any], contents: Mapping[str, bytes]) -> None:
    """Put one run into the store."""
    work = store.work_folder(f"{record['dataset']}/{record['method']}/{record['key']}")
    for name, content in contents.items():
        if name != _RECORD:
            (work / name).write_bytes(content)
    store.publish(work, record)
