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
    except _DAMAGE as error:
        found = " ".join(str(error).split())[:_AT_MOST] or type(error).__name__
        raise DataError(
            f"{path.name} cannot be read as {kind}: {found}. Fetch it again, or name another reader"
        ) from error
