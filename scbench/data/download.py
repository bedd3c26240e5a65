"""Download one file: resumed, verified, and in place only when it is right.

Own code: pooch 1.9.0 knows no checksum of git and starts anew where a body breaks off. Through a line that breaks after
24 MiB it gave up a file of 64 MiB after 144 MiB in six attempts; here exactly 64 MiB are sent.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import filelock
import requests

from scbench.data.checksum import Checksums, file_checksums, matches, split_checksum
from scbench.data.download_progress import progress_bar
from scbench.data.http import PARTIAL, PAST_THE_END, network_reason, open_url, retrying_session
from scbench.errors import DataError

__all__ = ["download"]

logger = logging.getLogger(__name__)

BODY_ATTEMPTS = 5  # in a row that bring nothing new
BODY_BACKOFF_SECONDS = 0.5  # doubled each time
CHUNK_BYTES = 1 << 16


class _InterruptedError(Exception):
    """A body that ended early; what has come so far is kept."""


@dataclass(frozen=True, slots=True)
class _Transfer:
    """One download; the fields are those of ``download``, ``part`` is where the body goes."""

    session: requests.Session
    url: str
    part: Path
    checksum: str | None
    size_bytes: int | None
    advance: Callable[[int, int | None], None]

    @property
    def received(self) -> int:
        """Bytes in ``part`` so far."""
        return _size(self.part)

    @property
    def by_hand(self) -> str:
        """The last advice of every message: how to do without this download."""
        wanted = f" ({self.checksum})" if self.checksum is not None else ""
        return f"or put the file into {self.part.parent} by hand, under any name{wanted}"


def download(
    url: str, target: Path, checksum: str | None, *, size_bytes: int | None = None, progress: bool = True
) -> Checksums:
    """Fetch ``url`` into ``target`` and return the checksums of what is stored there.

    The body goes to ``<target>.part``, from which a broken download is resumed, and is moved into place only
    when its checksum is right; until then a file already at ``target`` stays as it is. A ``target`` that has
    the checksum is not fetched again. Processes that fetch the same target wait for each other.

    Args:
        url: http or https address; redirects are followed.
        target: where to store the file; its folder is made.
        checksum: ``git:...``, ``sha256:...`` or ``md5:...``; None accepts anything but a web page, and then
            nothing is resumed.
        size_bytes: the expected size where it is known; tells a truncated body from a wrong one.
        progress: whether to show a bar on a terminal.

    Raises:
        DataError: if the address cannot be reached or refuses, the body is truncated again and again, the
            checksum is wrong, or the file cannot be written.
        ConfigError: if ``checksum`` is malformed.
    """
    if checksum is not None:
        split_checksum(checksum)
    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _locked(target):
            if checksum is not None and target.is_file():
                stored = file_checksums(target)
                if matches(stored, checksum):
                    return stored
            if checksum is None:
                part.unlink(missing_ok=True)
            with retrying_session() as session, progress_bar(url, target, size_bytes, progress) as advance:
                checksums = _receive(_Transfer(session, url, part, checksum, size_bytes, advance))
            os.replace(part, target)
            _sync_folder(target.parent)
    except OSError as error:
        raise _not_written(error, part) from error
    logger.info("stored %s (%d bytes)", target, checksums.size_bytes)
    return checksums


def _receive(transfer: _Transfer) -> Checksums:
    """Fill the part until its checksum is right; see ``download``."""
    url, part, checksum = transfer.url, transfer.part, transfer.checksum
    furthest, failures, rejected = 0, 0, None
    while True:
        try:
            whole = _append(transfer)
        except _InterruptedError as problem:
            failures = 0 if transfer.received > furthest else failures + 1
            furthest = max(furthest, transfer.received)
            if failures >= BODY_ATTEMPTS:
                raise DataError(
                    f"{url} broke off after {furthest} bytes, {failures} times in a row ({problem}); "
                    f"try again later, {transfer.by_hand}"
                ) from None
            logger.info("%s, trying again: %s", problem, url)
        else:
            checksums = file_checksums(part, remember=False)
            if checksum is None or matches(checksums, checksum):
                return checksums
            part.unlink()
            failures += 1
            # A body put together from pieces, or of untold length, gets a second chance.
            if whole or checksums == rejected or failures >= BODY_ATTEMPTS:
                algorithm, _ = split_checksum(checksum)
                raise DataError(
                    f"{url} sent a wrong file, which was removed: expected {checksum}, found "
                    f"{algorithm}:{getattr(checksums, algorithm)} ({checksums.size_bytes} bytes); "
                    f"try again later, {transfer.by_hand}"
                )
            rejected = checksums
            logger.info("the checksum is wrong, fetching from the start: %s", url)
        if checksum is None:
            part.unlink(missing_ok=True)
        time.sleep(BODY_BACKOFF_SECONDS * 2**failures)


def _append(transfer: _Transfer) -> bool:
    """Ask for what the part lacks and write it; return whether this was the whole body, of told length.

    Raises:
        _InterruptedError: if the body ends early, or its range does not start where the part ends.
    """
    part, start = transfer.part, transfer.received
    with open_url(transfer.session, transfer.url, start, transfer.by_hand) as response:
        if response.status_code == PAST_THE_END:
            return False
        if response.status_code != PARTIAL:
            start = 0
        elif not re.match(rf"bytes {start}-", response.headers.get("Content-Range", "")):
            part.unlink()
            raise _InterruptedError("the server sent another range than asked for")
        if transfer.checksum is None and response.headers.get("Content-Type", "").startswith("text/html"):
            raise DataError(f"{transfer.url} answered with a web page, not a file; {transfer.by_hand[3:]}")
        told = _told_length(response)
        total = start + told if told is not None else transfer.size_bytes
        # A body cut short must reach the part before it is noticed, so its length is compared here.
        response.raw.enforce_content_length = False
        with part.open("ab" if start else "wb") as file:
            try:
                for chunk in response.iter_content(CHUNK_BYTES):
                    file.write(chunk)
                    transfer.advance(file.tell(), total)
            except requests.RequestException as error:
                raise _InterruptedError(network_reason(error)) from error
            file.flush()
            os.fsync(file.fileno())
    if total is not None and transfer.received < total:
        raise _InterruptedError(f"the server closed after {transfer.received} of {total} bytes")
    return start == 0 and told is not None


def _told_length(response: requests.Response) -> int | None:
    """Return the length of the body as it will be written; None when it is not told or will be decoded."""
    length = response.headers.get("Content-Length", "")
    is_encoded = response.headers.get("Content-Encoding", "identity") != "identity"
    return int(length) if length.isdecimal() and not is_encoded else None


@contextmanager
def _locked(target: Path) -> Iterator[None]:
    """Hold the lock of ``target``; tell the user when another process has it."""
    lock = filelock.FileLock(target.with_name(f".{target.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        logger.info("waiting for another process that fetches %s", target)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` durable where the system can."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        logger.debug("%s is not synced: %s", folder, error)
    finally:
        os.close(descriptor)


def _not_written(error: OSError, part: Path) -> DataError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DataError(
            f"no space left for {part} after {_size(part)} bytes; make room, or set SCBENCH_DATA to another "
            "folder, and try again: what has come is kept"
        )
    reason = error.strerror or error
    return DataError(f"cannot write {part}: {reason}; make it writable, or set SCBENCH_DATA to another folder")
