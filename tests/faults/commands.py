"""Commands that the tests of faults start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

__all__ = ["TOY", "ctrl_c", "end_of", "files_below", "simulated", "start", "until"]

TOY = ["-m", "scbench", "method=toy", "device=cpu", "engine.cpu_slots=1"]
_PATIENCE_SECONDS = 120


def simulated(n_cells: int = 60) -> list[str]:
    """Return the words for a small dataset."""
    return ["dataset=simulated", f"dataset.n_cells={n_cells}", "dataset.n_genes=40", "dataset.n_types=3"]


def start(*words: str, **environment: str) -> subprocess.Popen[str]:
    """Start Python in a process group of its own, as a terminal does."""
    return subprocess.Popen(
        [sys.executable, *words],
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


def end_of(command: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Wait for the end of a command, and return exit status, stdout and stderr."""
    out, err = command.communicate(timeout=_PATIENCE_SECONDS)
    return command.returncode, out, err


def until(command: subprocess.Popen[str], what: Callable[[], object]) -> None:
    """Wait until something is to be seen while a command is under way."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while not what():
        assert command.poll() is None, f"ended with {command.returncode} before it came: {command.communicate()}"
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.002)


def ctrl_c(command: subprocess.Popen[str]) -> tuple[int, str, str, list[int]]:
    """Send what a terminal sends, and return how the command ends and which processes of it are left."""
    below = psutil.Process(command.pid).children(recursive=True)
    os.killpg(command.pid, signal.SIGINT)
    ended = end_of(command)
    _, left = psutil.wait_procs(below, timeout=10)
    return *ended, [process.pid for process in left]


def files_below(folder: Path) -> dict[Path, bytes]:
    """Return the contents of all files that readers see."""
    shown = (path for path in folder.rglob("*") if not any(part.startswith(".") for part in path.parts))
    return {path: path.read_bytes() for path in shown if path.is_file()}
