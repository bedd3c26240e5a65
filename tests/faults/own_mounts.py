"""A disk of a few kilobytes, or one that cannot be written, for commands of the tests: mounted where only they see it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

__all__ = ["OwnMount", "own_mount"]

_WORD = "ready"


class OwnMount:
    """A folder on which something is mounted for the commands that are started here, and for nobody else.

    Attributes:
        folder: as the commands call it.
        seen: the same, as this process sees it.
    """

    def __init__(self, folder: Path, holder: subprocess.Popen[str]) -> None:
        self.folder = folder
        self.seen = Path(f"/proc/{holder.pid}/root{folder}")
        self._enter = ["nsenter", "--preserve-credentials", "-U", "-m", "-t", str(holder.pid)]

    def shell(self, line: str) -> None:
        """Run a line of shell there."""
        subprocess.run([*self._enter, "sh", "-c", line], check=True, capture_output=True)

    def python(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run Python there, in the folder that this process is in."""
        return subprocess.run(
            [*self._enter, f"--wd={os.getcwd()}", sys.executable, *words], capture_output=True, text=True, check=False
        )


@contextmanager
def own_mount(folder: Path, mount: Sequence[str]) -> Iterator[OwnMount]:
    """Mount something on a folder with commands of the shell; skip the test where users may not.

    Args:
        folder: is made.
        mount: lines of shell, ``{}`` for the folder.
    """
    folder.mkdir(exist_ok=True)
    lines = " && ".join(line.format(folder) for line in mount)
    words = ["unshare", "-rm", "sh", "-c", f"{lines} && echo {_WORD} && read end"]
    try:
        holder = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
    except FileNotFoundError:
        pytest.skip("needs unshare (util-linux) to mount a disk of its own")
    try:
        assert holder.stdout is not None
        if holder.stdout.readline().strip() != _WORD:
            _, reason = holder.communicate()
            pytest.skip(f"users may not mount a disk of their own here: {reason.strip()}")
        yield OwnMount(folder, holder)
    finally:
        holder.kill()
        holder.communicate()
