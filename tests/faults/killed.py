"""Have a process killed before each of the changes that it makes to the disk, and in the middle of a file.

The process is forked, so that it runs the real code as it stands here. What it changes is heard from Python's own audit
events; the product knows nothing of it.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

__all__ = ["changes_of", "cut_at", "killed_before"]

_ONE_PATH = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate"}
_OF_DESCRIPTOR = {"fcntl.flock", "faults.fsync"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

Act = Callable[[Path], None]


def changes_of(act: Act, folder: Path) -> list[str]:
    """Let a step run to its end in a process of its own, and return the names of its changes below a folder."""
    ours, theirs = multiprocessing.Pipe()
    exitcode = _ended(_counting, act, folder, 0, theirs)
    assert exitcode == 0, f"the step ended with {exitcode} without being killed"
    names: list[str] = ours.recv()
    return names


def killed_before(act: Act, folder: Path, number: int) -> int | None:
    """Kill a step before its change of this number, the first being 1; return how its process ended."""
    return _ended(_counting, act, folder, number, None)


def cut_at(act: Act, folder: Path, n_bytes: int) -> int | None:
    """Kill a step when it writes more than so many bytes to a file, which stays cut; return how its process ended."""
    return _ended(_cut, act, folder, n_bytes)


def _ended(target: Callable[..., None], *given: Any) -> int | None:
    process = multiprocessing.get_context("fork").Process(target=target, args=given)
    process.start()
    process.join(60)
    exitcode = process.exitcode
    process.kill()
    return exitcode


def _counting(act: Act, folder: Path, fatal: int, told: Connection | None) -> None:
    names: list[str] = []
    fsync = os.fsync

    def heard(event: str, arguments: tuple[Any, ...]) -> None:
        name = _change(event, arguments, folder)
        if name is not None:
            names.append(name)
            if len(names) == fatal:
                os.kill(os.getpid(), signal.SIGKILL)

    def heard_fsync(descriptor: int) -> None:  # Python has no event for it
        sys.audit("faults.fsync", descriptor)
        fsync(descriptor)

    os.fsync = heard_fsync  # type: ignore[assignment]
    sys.addaudithook(heard)
    act(folder)
    if told is not None:
        told.send(list(names))


def _change(event: str, arguments: tuple[Any, ...], folder: Path) -> str | None:
    """Return what an event changes below a folder, None when it changes nothing there."""
    if event in _OF_DESCRIPTOR:
        path = os.readlink(f"/proc/self/fd/{arguments[0]}")
    elif event in _ONE_PATH or (
        event == "open" and isinstance(arguments[0], str | bytes | Path) and (arguments[2] or 0) & _WRITING
    ):
        path = os.fsdecode(arguments[0])
    else:
        return None
    is_ours = path.startswith(str(folder)) or not os.path.isabs(path)  # relative to an open folder, in shutil.rmtree
    return f"{event} {path.removeprefix(str(folder))}" if is_ours else None


def _cut(act: Act, folder: Path, n_bytes: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # ends the process; Python would have ignored it
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes))
    act(folder)
