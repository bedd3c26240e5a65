"""The code that reads files, as a hash: what it made of a file is not used any more when it changes."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["reading_code"]

_READS_AND_CHECKS = (
    "corrupt.py",
    "identical_cells.py",
    "label_checks.py",
    "labelled.py",
    "left_out.py",
    "load.py",
    "parsed_copy.py",
    "remarks.py",
    "sealed.py",
    "spike_ins.py",
    "stored_order.py",
    "subsample.py",
    "validate.py",
)
# What files are read with: another version may read other values.
_READ_WITH = ("anndata", "h5py", "numpy", "pandas", "rdata", "scipy", "zarr")


def _version(library: str) -> str:
    """Return the version of a library, "" for one that is not installed: R files need an extra."""
    try:
        return version(library)
    except PackageNotFoundError:
        return ""


@lru_cache(maxsize=1)
def reading_code() -> str:
    """Return a hash of the reading code, so that a parsed copy never outlives a change of it."""
    digest = hashlib.sha256()
    here = Path(__file__).parent
    for name in _READS_AND_CHECKS:
        digest.update((here / name).read_bytes())
    for path in sorted((here / "readers").rglob("*.py")):
        digest.update(path.read_bytes())
    digest.update(" ".join(f"{library}={_version(library)}" for library in _READ_WITH).encode())
    return digest.hexdigest()
