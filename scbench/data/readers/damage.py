"""Turn what libraries raise on a damaged file into one line that names the file."""

from __future__ import annotations

import csv
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scbench.errors import DataError

__all__ = ["readable"]

# h5py and zipfile raise RuntimeError for unknown filters and encrypted members.
_DAMAGE = (
    OSError,
    EOFError,
    KeyError,
    IndexError,
    ValueError,
    TypeError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
    csv.Error,
)
_AT_MOST = 300


@contextmanager
def readable(path: Path, kind: str) -> Iterator[None]:
    """Run a block that reads ``path``; ``kind`` says what the file should be (``HDF5 file``).

    Raises:
        DataError: in place of any error of a missing or damaged file; a DataError passes unchanged.
    """
    try:
        yield
    except DataError:
        raise
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist; check the path or fetch the file again") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path.name} cannot be read as {kind}: {_other_encoding(error)}") from error
    except _DAMAGE as error:
        found = " ".join(str(error).split())[:_AT_MOST] or type(error).__name__
        raise DataError(
            f"{path.name} cannot be read as {kind}: {found}. Fetch it again, or name another reader"
        ) from error


def _other_encoding(error: UnicodeDecodeError) -> str:
    """Return what is wrong with text in another encoding, and what to do."""
    is_utf16 = error.object[:2] in (b"\xff\xfe", b"\xfe\xff")
    guess = "the file begins like UTF-16" if is_utf16 else "often it is Latin-1 or Windows-1252"
    name = "UTF-16" if is_utf16 else "LATIN1"
    return (
        f"its text is not UTF-8 (byte {error.object[error.start]:#04x}; {guess}). Convert it to UTF-8, "
        f"for example with iconv -f {name} -t UTF-8, or save it as 'CSV UTF-8'"
    )
