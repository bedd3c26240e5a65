"""Open a plain file, a gzip file or one member of a zip archive alike."""

from __future__ import annotations

import gzip
import io
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, cast

from scbench.data.readers.bounded_lines import bounded_lines
from scbench.data.readers.damage import readable
from scbench.errors import DataError
from scbench.names import nearest

__all__ = ["local_file", "open_text"]

_ZIP_MAGIC = b"PK\x03\x04"
_EXCEL = "[Content_Types].xml"
_GZIP_MAGIC = b"\x1f\x8b"


@contextmanager
def open_text(path: Path, member: str | None = None) -> Iterator[IO[str]]:
    """Open text for reading, unpacked while it is read; the content decides how, not the suffix.

    Args:
        path: a plain, gzip or zip file.
        member: file inside the zip; may be None when there is only one.

    Raises:
        DataError: if the file is missing or damaged, or the member is not in the archive; while it is read, when a line
            does not end.
    """
    with readable(path, "a text table"), ExitStack() as stack:
        lines = bounded_lines(_open_bytes(path, member, stack), path.name)
        yield io.TextIOWrapper(lines, encoding="utf-8-sig", newline="")


@contextmanager
def local_file(path: Path, member: str | None) -> Iterator[Path]:
    """Give the path of a file that needs random access; a zip member is copied to a temporary folder first.

    Raises:
        DataError: as ``open_text``.
    """
    if member is None:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="scbench-") as folder:
        copy = Path(folder) / PurePosixPath(member).name
        with readable(path, "a zip archive"), ExitStack() as stack, copy.open("wb") as target:
            shutil.copyfileobj(_open_bytes(path, member, stack), target)
        yield copy


def _open_bytes(path: Path, member: str | None, stack: ExitStack) -> IO[bytes]:
    with path.open("rb") as start:
        magic = start.read(4)
    if magic == _ZIP_MAGIC:
        archive = stack.enter_context(zipfile.ZipFile(path))
        return stack.enter_context(archive.open(_member(archive, member, path)))
    if member is not None:
        raise DataError(f"{path.name} is not a zip archive, so it has no member {member!r}; leave out the member")
    if magic[:2] == _GZIP_MAGIC:
        return stack.enter_context(cast(IO[bytes], gzip.open(path, "rb")))
    return stack.enter_context(path.open("rb"))


def _member(archive: zipfile.ZipFile, member: str | None, path: Path) -> str:
    names = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX")]
    if _EXCEL in names:
        raise DataError(f"{path.name} is an Excel file; save it as CSV UTF-8")
    if member in names:
        return str(member)
    listed = ", ".join(names[:12]) or "nothing"
    if member is None:
        if len(names) == 1:
            return names[0]
        raise DataError(f"{path.name} holds {len(names)} files ({listed}); set the member to one of them")
    close = nearest(member, names)
    hint = f" Did you mean {close!r}?" if close else ""
    raise DataError(f"{path.name} has no member {member!r}.{hint} It holds: {listed}")
