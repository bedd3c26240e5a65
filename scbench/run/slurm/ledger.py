"""Which runs have been handed to SLURM: one folder per array in the store, so that any command finds them again.

The file is written before the array is submitted, and the array carries its name: a command that dies in between leaves
an array of no jobs, and never jobs that nobody knows.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from scbench.store.record_file import write_json

__all__ = ["Submission", "close", "new_submission", "open_submissions", "submission_lock"]

_LOG = logging.getLogger(__name__)
_FOLDER = ".slurm"
_OPEN, _CLOSED = "submission.json", "ended.json"


@dataclass(frozen=True)
class Submission:
    """One array of jobs.

    Attributes:
        folder: where it is noted, and where its jobs write their logs.
        chunks: the run_ids of the runs of each job, by its index in the array.
    """

    folder: Path
    chunks: tuple[tuple[str, ...], ...]

    @property
    def name(self) -> str:
        """Return the name of its jobs, which no other array has."""
        return f"scbench-{self.folder.name}"


def submission_lock(root: Path) -> FileLock:
    """Return the lock under which a command looks at what is submitted and submits what is not."""
    (root / _FOLDER).mkdir(parents=True, exist_ok=True)
    return FileLock(root / _FOLDER / "lock")


def new_submission(root: Path, chunks: Sequence[Sequence[str]]) -> Submission:
    """Note an array that is going to be submitted."""
    submission = Submission(root / _FOLDER / secrets.token_hex(4), tuple(map(tuple, chunks)))
    submission.folder.mkdir(parents=True)
    write_json(submission.folder / _OPEN, {"chunks": [list(chunk) for chunk in chunks]})
    return submission


def open_submissions(root: Path) -> Iterator[Submission]:
    """Yield the arrays that have not been closed."""
    for path in sorted((root / _FOLDER).glob(f"*/{_OPEN}")):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            yield Submission(path.parent, tuple(tuple(map(str, chunk)) for chunk in content["chunks"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            _LOG.warning("%s cannot be read (%s); jobs of that array are not waited for", path, error)


def close(submission: Submission) -> None:
    """Note that all jobs of an array are over; their logs stay."""
    try:
        os.replace(submission.folder / _OPEN, submission.folder / _CLOSED)
    except OSError as error:
        _LOG.debug("%s cannot be closed: %s", submission.folder, error)
