"""How the benchmarks measure: whole processes with empty caches and one thread per run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import Any

__all__ = ["Measured", "command", "last_row", "matmul_rate", "measure", "median", "real_data_missing", "show"]

REPEATS = 3
MATMUL = """
import numpy as np, time
a = np.ones((2048, 2048), dtype=np.float32)
a @ a
started = time.perf_counter()
a @ a @ a @ a
print(3 * 2 * 2048**3 / (time.perf_counter() - started) / 1e9)
"""


@dataclass(frozen=True)
class Measured:
    """What one command took; ``peak_rss_bytes`` is its own process's, each run's is in the table it prints."""

    wall_seconds: float
    peak_rss_bytes: int
    output: str

    def __str__(self) -> str:
        """Show the figures."""
        return f"{self.wall_seconds:6.2f} s, {self.peak_rss_bytes / 2**20:5.0f} MiB peak"


def measure(*arguments: str) -> Measured:
    """Run a Python command line once, with empty caches and one thread."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as output:
        environment = {**os.environ, **threads, "SCBENCH_CACHE": f"{folder}/cache"}
        command = [argument.replace("STORE", f"{folder}/store") for argument in (sys.executable, *arguments)]
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read()
    if process.returncode != 0:
        raise SystemExit(f"{arguments} ended with {process.returncode}:\n{text}")
    return Measured(wall, usage.ru_maxrss * 1024, text)


def median(*arguments: str) -> Measured:
    """Return the run of median wall time out of ``REPEATS``."""
    runs = sorted((measure(*arguments) for _ in range(REPEATS)), key=lambda run: run.wall_seconds)
    return runs[REPEATS // 2]


def command(method: str, dataset: str) -> Measured:
    """Return the median of whole commands with 10 seeds, each into an empty store."""
    return median("-m", "scbench", f"method={method}", f"dataset={dataset}", "store=STORE", "device=cpu")


def matmul_rate() -> float:
    """Return GFLOP/s of a 2048 x 2048 float32 matrix product on one core: what other machines are compared by."""
    return float(median("-c", MATMUL).output)


def show(what: str, found: object) -> None:
    """Print one figure."""
    print(f"{what:<46} {found}")


def last_row(run: Measured) -> dict[str, Any]:
    """Return seconds and memory of a run, as the one-row table of its command gives them."""
    found = re.search(r"(\d+(?:\.\d+)?)\s+(\d+(?:\.\d+)? [KMG]iB)\s+1/1", run.output)
    if found is None:
        raise SystemExit(f"no table in:\n{run.output}")
    return {"seconds": float(found[1]), "memory": found[2]}


def real_data_missing() -> str | None:
    """Return why figures on real data are left out, or None."""
    return None if os.environ.get("SCBENCH_DATA_PATH") else "left out: SCBENCH_DATA_PATH is not set"
