"""Checksums of data files, in one pass and remembered on disk: the files are large and asked for often."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from scbench.data.folders import cache_folder
from scbench.errors import ConfigError, DataError
from scbench.whole_file import write_whole

__all__ = ["Checksums", "file_checksums", "matches", "split_checksum"]

logger = logging.getLogger(__name__)

_DIGITS = {"git": 40, "sha256": 64, "md5": 32}
_BLOCK_BYTES = 1 << 20
_SLOW_BYTES = 1 << 28
_SETTLED_NS = 2_000_000_000  # coarsest time stamp of a common file system: younger files may change unseen


@dataclass(frozen=True, slots=True)
class Checksums:
    """The sums of one file, lower-case hex.

    Attributes:
        git: sha1 of the git blob, that is of ``b"blob <size>\\0"`` and the content.
        sha256, md5: of the content.
        size_bytes: length of the content.
    """

    git: str
    sha256: str
    md5: str
    size_bytes: int


def split_checksum(checksum: str) -> tuple[str, str]:
    """Return algorithm and lower-case digest of ``<algorithm>:<hex>``.

    Raises:
        ConfigError: if the algorithm is unknown or the digest has the wrong length or other characters.
    """
    algorithm, _, digest = checksum.partition(":")
    digest = digest.lower()
    if algorithm not in _DIGITS or not re.fullmatch(rf"[0-9a-f]{{{_DIGITS[algorithm]}}}", digest):
        forms = ", ".join(f"{name}:<{digits} hex digits>" for name, digits in _DIGITS.items())
        raise ConfigError(f"malformed checksum {checksum!r}; write one of {forms}")
    return algorithm, digest


def matches(checksums: Checksums, checksum: str) -> bool:
    """Return whether ``checksums`` agree with ``git:...``, ``sha256:...`` or ``md5:...``.

    Raises:
        ConfigError: if ``checksum`` is malformed.
    """
    algorithm, digest = split_checksum(checksum)
    return bool(getattr(checksums, algorithm) == digest)


def file_checksums(path: Path, *, remember: bool = True) -> Checksums:
    """Return the checksums of ``path``, from the memory on disk when the file has not changed since.

    The memory lives below ``cache_folder()`` and is keyed by real path, size, both change times and inode.
    Damaged entries are ignored; a folder that cannot be written costs time only. Files modified within the
    last two seconds are not remembered, since a second change could leave the same time stamp.

    Raises:
        OSError: if the file cannot be read.
        DataError: if the file changes while it is read.
    """
    before = path.stat()
    key: dict[str, str | int] = {
        "path": os.path.realpath(path),
        "size": before.st_size,
        "mtime_ns": before.st_mtime_ns,
        "ctime_ns": before.st_ctime_ns,  # unlike the modification time, nobody can set it back
        "inode": before.st_ino,
    }
    entry = _memo_path(key)
    if remember and (remembered := _recall(entry, key)) is not None:
        return remembered
    if before.st_size >= _SLOW_BYTES:
        logger.info("computing the checksums of %s (%.1f GB)", path, before.st_size / 1e9)
    checksums = _hash(path, before.st_size)
    after = path.stat()
    if checksums.size_bytes != before.st_size or after.st_ctime_ns != before.st_ctime_ns:
        raise DataError(f"{path} changed while it was read; wait until nothing writes to it and try again")
    if remember and abs(time.time_ns() - before.st_mtime_ns) > _SETTLED_NS:
        _remember(entry, key, checksums)
    return checksums


def _hash(path: Path, size_bytes: int) -> Checksums:
    git = hashlib.sha1(b"blob %d\0" % size_bytes, usedforsecurity=False)
    sha256 = hashlib.sha256()
    md5 = hashlib.md5(usedforsecurity=False)
    seen_bytes = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            seen_bytes += len(block)
            for digest in (git, sha256, md5):
                digest.update(block)
    return Checksums(git.hexdigest(), sha256.hexdigest(), md5.hexdigest(), seen_bytes)


def _memo_path(key: Mapping[str, str | int]) -> Path:
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    return cache_folder() / "checksums" / f"{digest[:32]}.json"


def _recall(entry: Path, key: Mapping[str, str | int]) -> Checksums | None:
    try:
        content = json.loads(entry.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(content, dict) or content.get("key") != key:
        return None
    try:
        checksums = Checksums(**content["checksums"])
        for algorithm in _DIGITS:
            split_checksum(f"{algorithm}:{getattr(checksums, algorithm)}")
    except (ConfigError, KeyError, TypeError):
        return None
    return checksums if checksums.size_bytes == key["size"] else None


def _remember(entry: Path, key: Mapping[str, str | int], checksums: Checksums) -> None:
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        write_whole(entry, json.dumps({"key": key, "checksums": asdict(checksums)}).encode())
    except OSError as error:
        logger.debug("the checksums of %s are not remembered: %s", key["path"], error)
