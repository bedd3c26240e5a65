"""Files of an earlier report in the same folder that the new one no longer has."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from scbench.whole_file import write_whole

__all__ = ["LIST_FILE", "remove_leftovers"]

LIST_FILE = "files.txt"


def remove_leftovers(out: Path, paths: Sequence[Path]) -> Path:
    """Remove what the last report wrote into ``out`` and this one did not, and list what this one wrote.

    A figure of a dataset that is no longer shown would otherwise stand beside the new ones. Only files that are on the
    list of the last report go; what somebody else put there stays.

    Args:
        out: folder of the report.
        paths: written by the new report, inside ``out``.

    Returns:
        The list, ``files.txt``.
    """
    listed = out / LIST_FILE
    new = sorted(path.relative_to(out).as_posix() for path in paths)
    old = listed.read_text(encoding="utf-8").splitlines() if listed.is_file() else []
    inside = out.resolve()
    for name in set(old) - set(new):
        path = out / name
        if name and path.is_file() and path.resolve().is_relative_to(inside):
            path.unlink()
            with suppress(OSError):  # other files may lie there
                path.parent.rmdir()
    write_whole(listed, "".join(f"{name}\n" for name in new).encode())
    return listed
