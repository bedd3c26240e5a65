"""Runs per minute of a whole command."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from comparison.builds import Build

__all__ = ["Made", "runs_made"]

_GRACE_SECONDS = 20.0


@dataclass(frozen=True)
class Made:
    """What a command has made: runs asked for, those that are ok, those that failed, and the most memory of one."""

    seconds: float
    n_asked: int
    n_ok: int
    n_failed: int
    peak_gpu_bytes: int

    def __str__(self) -> str:
        """Show the figures."""
        rate = 60 * self.n_ok / self.seconds
        failed = f", {self.n_failed} failed" if self.n_failed else ""
        return (
            f"{rate:.1f} runs/min, {self.n_ok}/{self.n_asked} ok{failed}, peak {self.peak_gpu_bytes / 1e6:.0f} MB a run"
        )


def runs_made(build: Build, words: Sequence[str], n_seeds: int, limit: float) -> Made:
    """Return what ``python -m scbench`` makes of so many seeds within ``limit`` seconds, start-up and all."""
    with tempfile.TemporaryDirectory(dir=build.folder.parent) as store:
        started = time.monotonic()
        command = subprocess.Popen(
            [sys.executable, "-P", "-m", "scbench", *words, f"seeds={n_seeds}", f"store={store}"],
            env=build.environment,
            cwd=build.folder.parent,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            with suppress(subprocess.TimeoutExpired):
                command.wait(limit)
            seconds = time.monotonic() - started
            command.send_signal(signal.SIGTERM)  # it ends its runs in order; nothing where it is over
            with suppress(subprocess.TimeoutExpired):
                command.wait(_GRACE_SECONDS)
        finally:
            command.kill()
            command.wait()
        records = [json.loads(path.read_text()) for path in Path(store).glob("*/*/*/record.json")]
    done = [record for record in records if record["status"] == "ok"]
    failed = [record for record in records if record["status"] not in ("ok", "interrupted")]
    peak = max((record["peak_gpu_bytes"] or 0 for record in done), default=0)
    return Made(seconds, n_seeds, len(done), len(failed), peak)
