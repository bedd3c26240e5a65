"""Arrays on disk that can only be read with what they were sealed with: labels, and the order of the file.

A method is given a folder of the cache, from which all of the cache can be found. What lies there must tell nothing to
one that only looks; the key is the checksum of the dataset's file, which no method is given. This is a curtain and no
safe: a program that finds the file itself, and takes its checksum, has the labels of the file as well.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from scbench.whole_file import write_whole

__all__ = ["read_sealed", "write_sealed"]


def write_sealed(path: Path, arrays: Mapping[str, np.ndarray], key: str) -> None:
    """Write arrays so that a reader sees all of them or none; the same arrays and key give the same bytes.

    Args:
        path: the file; its folder is made, and its name takes part in the key, so that no two files share a pad.
        arrays: of numbers or text.
        key: what it takes to read them.
    """
    file = io.BytesIO()
    np.savez_compressed(file, **dict(arrays))  # type: ignore[arg-type]  # numpy has a keyword allow_pickle beside them
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, _padded(file.getvalue(), path, key))


def read_sealed(path: Path, key: str) -> dict[str, np.ndarray]:
    """Return what :func:`write_sealed` wrote.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is damaged, or was sealed with another key.
    """
    content = _padded(path.read_bytes(), path, key)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return dict(arrays)
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, KeyError) as error:
        raise ValueError(f"{path} is damaged, or of another dataset") from error


def _padded(content: bytes, path: Path, key: str) -> bytes:
    """Return bytes under a pad that follows from key and file name; twice is the same as not at all."""
    pad = hashlib.shake_256(f"{key}/{path.name}".encode()).digest(len(content))
    return (np.frombuffer(content, np.uint8) ^ np.frombuffer(pad, np.uint8)).tobytes()
