"""The runs of an archive as they arrive: each in a folder of its own, its record checked."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from scbench.store.archive.files import FILES, check_head
from scbench.store.archive.record import DamagedArchiveError, checked_record
from scbench.store.archive.tar_members import Member
from scbench.store.array_header import HEAD_BYTES
from scbench.store.record_text import LARGEST_RECORD, shown
from scbench.store.store import Store

__all__ = ["arriving_runs"]

_RECORD = "record.json"
_LONGEST_PLACE = 600  # characters of dataset, method and key


def arriving_runs(members: Iterable[Member], store: Store) -> Iterator[tuple[str, dict[str, Any], Path]]:
    """Yield place, checked record and work folder of each run; the folder holds the other files, not looked at yet.

    Archives of today have the record first; earlier ones have files before it, of which only the beginnings are looked
    at until it comes.

    Args:
        members: the files of the archive.
        store: work folders are made in it, once there is something to write.

    Raises:
        DamagedArchiveError: a file does not belong to a run, comes twice, or is no array of numbers; a run comes twice
            or has no record, or one that is wrong.
        StoreError: the store cannot be written.
    """
    seen: set[str] = set()
    run: _Arriving | None = None
    try:
        for member in members:
            place, _, name = member.name.rpartition("/")
            if place.count("/") != 2 or len(place) > _LONGEST_PLACE or name not in (_RECORD, *FILES.values()):
                raise DamagedArchiveError(f"is no archive of runs: it holds {shown(member.name)}")
            if run is None or place != run.place:
                if run is not None:
                    yield run.whole()
                if place in seen:
                    raise DamagedArchiveError(f"holds {shown(place)} twice")
                seen.add(place)
                run = _Arriving(place, store, is_first=len(seen) == 1)
            run.take(name, member)
        if run is not None:
            yield run.whole()
    finally:
        if run is not None:
            shutil.rmtree(run.work, ignore_errors=True)
            store.leave(run.work)


class _Arriving:
    """One run, some files of which have come."""

    def __init__(self, place: str, store: Store, *, is_first: bool) -> None:
        self.place = place
        self._names: set[str] = set()
        self._record: dict[str, Any] | None = None
        if is_first:
            store.check_writable()
            store.remove_leftovers()
        self.work = store.work_folder(place)

    def take(self, name: str, member: Member) -> None:
        """Take a file."""
        if name in self._names:
            raise DamagedArchiveError(f"holds {shown(member.name)} twice")
        self._names.add(name)
        if name == _RECORD:
            if member.size > LARGEST_RECORD:
                raise DamagedArchiveError(
                    f"{shown(member.name)} cannot be read (it is larger than {LARGEST_RECORD >> 20} MiB)"
                )
            self._record = checked_record(self.place, b"".join(member.pieces))
            return
        head = next(member.pieces, b"")
        check_head(shown(self.place).strip("'\""), name, head[:HEAD_BYTES], member.size)
        with (self.work / name).open("wb") as file:
            file.write(head)
            for piece in member.pieces:
                file.write(piece)

    def whole(self) -> tuple[str, dict[str, Any], Path]:
        """Return the run when all its files have come."""
        if self._record is None:
            raise DamagedArchiveError(f"{shown(self.place)} has no record.json")
        return self.place, self._record, self.work
