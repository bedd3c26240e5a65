"""What a reader of a file format is: a module of this package, or one of another package (see docs/add-a-format.md)."""

from __future__ import annotations

import importlib
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Protocol, cast

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.errors import DataError

__all__ = ["ENTRY_POINT_GROUP", "Reader", "RecognisingReader", "other_reader", "other_readers"]

ENTRY_POINT_GROUP = "scbench.readers"


class Reader(Protocol):
    """A module (or any object) that reads one format."""

    def read(
        self, path: Path, source: SourceFile, *, label: str | None, label_path: Path | None = None
    ) -> LabelledCounts:
        """Return what a file holds, cells in rows, values as stored.

        Args:
            path: the file or folder.
            source: what is known of it: ``matrix``, ``member``, ``orientation``, ``modality``.
            label: column that holds the labels; None for the format's usual one (``labels.choose_column`` finds it);
                ``none`` reads no labels.
            label_path: a second file with the labels, for a format that has one of its own; any other never gets one.

        Raises:
            DataError: whatever is wrong with the file, in one line: what, found, what to do.
        """


class RecognisingReader(Reader, Protocol):
    """A reader of another package, which also tells its files from others."""

    def recognises(self, path: Path) -> bool:
        """Return whether a file looks like this format, from its name or its first bytes."""


def other_readers() -> dict[str, EntryPoint]:
    """Return the readers that other packages announce (``[project.entry-points."scbench.readers"]``), by name."""
    return {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}


def other_reader(point: EntryPoint) -> RecognisingReader:
    """Return the reader of another package.

    Raises:
        DataError: when it cannot be imported, or does not have ``read`` and ``recognises``.
    """
    try:
        found = point.load() if ":" in point.value else importlib.import_module(point.value)
    except (Exception, SystemExit) as error:  # whatever another package does at import
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise DataError(
            f"reader {point.name!r} cannot be imported from {point.value!r} ({reason}); mend or uninstall it"
        ) from error
    missing = [name for name in ("read", "recognises") if not callable(getattr(found, name, None))]
    if missing:
        raise DataError(
            f"reader {point.name!r} of {point.value!r} has no {' and no '.join(missing)}; a reader needs "
            "read(path, source, *, label, label_path=None) and recognises(path)"
        )
    return cast(RecognisingReader, found)
