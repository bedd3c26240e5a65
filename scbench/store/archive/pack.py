"""Runs of a store in one file that can be kept and passed on: records, labels and curves.

A compressed tar of ``<dataset>/<method>/<key[:16]>/<file>``, the folders of a store. The same runs give the same bytes.
"""

from __future__ import annotations

import io
import json
import logging
import lzma
import os
import shutil
import tarfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from scbench.errors import StoreError
from scbench.store.archive.arriving import arriving_runs
from scbench.store.archive.bounded_xz import Allowance, BoundedXz, allowed_bytes
from scbench.store.archive.files import FILES, check_files
from scbench.store.archive.record import DamagedArchiveError, OversizeError, checked_record
from scbench.store.archive.tar_members import members
from scbench.store.archive.true_labels import TrueLabels, wrong_scores
from scbench.store.paths_in_text import without_folders
from scbench.store.store import Store, json_ready
from scbench.whole_file import temporary_beside

__all__ = ["FILES", "Unpacked", "pack", "unpack"]

_LOG = logging.getLogger(__name__)
_RECORD = "record.json"
_LARGEST = 1 << 30  # bytes of one file
_OF_A_MACHINE = ("provenance", "error")  # fields of a record with paths in them


class Unpacked(NamedTuple):
    """What an archive brought.

    Attributes:
        n_new: runs that the store did not have.
        n_known: runs that it had.
        n_ok: those of both that ended well.
        n_scored: those of ``n_ok`` whose scores were made anew from their labels and agree; the true labels of the
            others are not on this machine.
    """

    n_new: int
    n_known: int
    n_ok: int
    n_scored: int


def pack(store: Store, path: Path, kept: Sequence[str] = ("labels", "history")) -> int:
    """Write the runs of a store to one file and return how many they are.

    Absolute paths in provenance, error and source of a record are cut to their last part: others need not know the
    machine that made it. What a run has not stored is left out. So is, with a logged warning, a run that ``unpack``
    would refuse.

    Args:
        store: where the runs are.
        path: file to write; one that is there is replaced when the new one is whole.
        kept: names of ``FILES`` to take along with the records and labels; the names of cells go with the labels.

    Raises:
        StoreError: the store does not exist or holds no run, a file of it cannot be read, or the archive cannot be
            written.
    """
    records = sorted(store.records(), key=lambda one: (one["dataset"], one["method"], one["key"]))
    if not records:
        raise StoreError(f"store {store.root} holds no run to pack")
    temporary = None
    names = sorted({FILES[name] for name in ("labels", "cells", *kept)})
    n_packed = n_bytes = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = temporary_beside(path)
        with tarfile.open(temporary, "w:xz", format=tarfile.PAX_FORMAT) as archive:
            for record in records:
                folder = store.folder(record["dataset"], record["method"], record["key"])
                n_packed += _add(archive, folder, record, names)
            n_bytes = archive.offset
        if n_packed:
            os.replace(temporary, path)
            if n_bytes > allowed_bytes(path.stat().st_size):
                _LOG.warning("%s shrank by so much that it has to be unpacked with --any-size", path)
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(f"{path} cannot be written ({error.strerror or error}); choose another place") from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
    if not n_packed:
        raise StoreError(f"store {store.root} holds no run to pack: all {len(records)} are damaged")
    return n_packed


def _add(archive: tarfile.TarFile, folder: Path, record: dict[str, Any], names: Sequence[str]) -> bool:
    """Write one run, its record first; return False for one that is damaged, which is left out."""
    place = f"{record['dataset']}/{record['method']}/{record['key'][:16]}"
    data = record["data"] | {
        name: without_folders(value) for name, value in record["data"].items() if name != "preprocessing"
    }  # of preprocessing the key is made, and it names parts of files, not folders of a machine
    shown = record | {name: without_folders(record[name]) for name in _OF_A_MACHINE} | {"data": data}
    contents = {_RECORD: (json.dumps(json_ready(shown), indent=1, allow_nan=False) + "\n").encode()}
    try:
        checked_record(place, contents[_RECORD])
        check_files(place, folder, record, lambda _: None, names)
        for name in names:
            with suppress(FileNotFoundError):
                contents[name] = (folder / name).read_bytes()
                _check_size(folder / name, len(contents[name]))
    except DamagedArchiveError as error:
        _LOG.warning("%s; the run is left out", error)
        return False
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(f"{error.filename or folder} cannot be read ({error.strerror or error})") from error
    for name, content in contents.items():
        member = tarfile.TarInfo(f"{place}/{name}")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    archive.members = []  # type: ignore[attr-defined]  # a header for every file would stay in memory
    return True


def _check_size(file: Path, n_bytes: int) -> None:
    """Check that an archive takes a file."""
    if n_bytes > _LARGEST:
        what = next(what for what, name in FILES.items() if name == file.name)
        raise StoreError(f"{file} is larger than the {_LARGEST >> 30} GiB that an archive takes; leave {what} out")


def unpack(path: Path, store: Store, *, any_size: bool = False) -> Unpacked:
    """Put the runs of an archive into a store; a result that is there already stays, a failure gives way to a result.

    Each run is checked and then written whole or not at all, so that an archive which is damaged costs only what comes
    after the damage. Nothing that it says is believed: see ``archived_record`` and ``archived_files``; scores are made
    anew where the true labels are on this machine.

    Args:
        path: the archive.
        store: where the runs go.
        any_size: take an archive that holds far more than its own size lets expect.

    Raises:
        StoreError: the file cannot be read, is damaged or holds something else than runs, or the store cannot be
            written.
    """
    n_new = n_known = n_ok = n_scored = 0
    labels = TrueLabels()
    was_there = store.root.exists()

    def wrong(what: object) -> StoreError:
        there = f"; {n_new} runs that came before are in {store.root}" if n_new else ""
        return StoreError(f"{path}: {what}{there}")

    try:
        with path.open("rb") as file:
            allowance = Allowance(None if any_size else allowed_bytes(os.fstat(file.fileno()).st_size))
            for place, record, work in arriving_runs(members(BoundedXz(file, allowance).read), store):
                try:
                    check_files(place, work, record, allowance.spend)
                    if record["status"] == "ok":
                        n_ok += 1
                        n_scored += _check_scores(place, work, record, labels)
                    there = store.find(record["dataset"], record["method"], record["key"])
                    if there is not None and (there["status"] == "ok" or record["status"] != "ok"):
                        n_known += 1
                        continue
                    store.publish(work, record)
                    n_new += 1
                finally:
                    shutil.rmtree(work, ignore_errors=True)
                    store.leave(work)
    except OversizeError as error:
        raise wrong(error) from error
    except DamagedArchiveError as error:
        raise wrong(f"{error}; get the file again") from error
    except (lzma.LZMAError, EOFError) as error:
        raise wrong(f"is damaged or no archive that 'pack' wrote ({error}); get the file again") from error
    except StoreError:
        raise
    except OSError as error:
        raise wrong(f"cannot be unpacked to {store.root} ({error.strerror or error})") from error
    finally:
        if not was_there:
            _remove_empty(store.root)
    if n_new + n_known == 0:
        raise wrong("holds no run")
    return Unpacked(n_new, n_known, n_ok, n_scored)


def _check_scores(place: str, work: Path, record: dict[str, Any], labels: TrueLabels) -> bool:
    """Return whether the scores of a result could be made anew.

    Raises:
        DamagedArchiveError: they are others.
    """
    if not (work / FILES["labels"]).is_file():
        return False
    labels_true = labels.of(record)
    if labels_true is None:
        return False
    if wrong := wrong_scores(record, work, labels_true):
        raise DamagedArchiveError(f"{place}/{_RECORD}: {wrong}")
    return True


def _remove_empty(root: Path) -> None:
    """Remove the folder of a store that was made for nothing."""
    for folder in (root / ".work", root):
        with suppress(OSError):
            folder.rmdir()
