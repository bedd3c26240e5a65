"""Speed and memory of the framework, as ``make bench`` prints them. Figures only: nothing here passes or fails.

Every figure is that of whole processes with empty caches, unless it says otherwise. Real count sets are taken from
``SCBENCH_DATA_PATH``; figures that need one are left out, with the reason, when it is not there.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

REPEATS = 3
MATMUL = """
import numpy as np, time
a = np.ones((2048, 2048), dtype=np.float32)
a @ a
started = time.perf_counter()
a @ a @ a @ a
print(3 * 2 * 2048**3 / (time.perf_counter() - started) / 1e9)
"""
IMPORTS = "import sklearn.cluster, sklearn.neighbors, pandas, h5py, scipy.sparse"
SCORE = """
import numpy as np, time
from scbench.metrics import score
rng = np.random.default_rng(0)
true, pred = rng.integers(20, size=1_000_000), rng.integers(25, size=1_000_000)
names = np.array([f"type {i}" for i in range(20)])
score(true[:10], pred[:10])
for what, labels in (("integers", true), ("strings", names[true]), ("objects", names.astype(object)[true])):
    started = time.perf_counter()
    score(labels, pred)
    print(f"{what} {time.perf_counter() - started:.2f} s")
"""
PREPARE = """
from scbench.data.config import SimulatedDataset
from scbench.data.load import open_dataset
from scbench.preprocess import STANDARD_RECIPE, principal_components
dataset = open_dataset(SimulatedDataset(name="simulated", n_cells=100_000, n_genes=2_000, n_types=15))
counts = dataset.counts()
print(principal_components(counts, STANDARD_RECIPE, 50, dataset.cache(counts.matrix)).shape)
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


def show(what: str, found: object) -> None:
    """Print one figure."""
    print(f"{what:<46} {found}")


def main() -> None:
    """Print all figures."""
    rate = float(median("-c", MATMUL).output)
    print(
        f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores; float32 matrix product on one core {rate:.0f} GFLOP/s"
    )
    print(f"medians of {REPEATS}, whole processes, empty caches, one thread per run\n")
    show("python -m scbench --help", median("-m", "scbench", "--help"))
    show("importing scikit-learn, pandas, h5py", median("-c", IMPORTS))
    show("random x 10 seeds, pbmc68k_reduced (no fits)", command("random", "pbmc68k_reduced"))
    show("pca_kmeans x 10 seeds, pbmc68k_reduced", command("pca_kmeans", "pbmc68k_reduced"))
    for dataset in ("mouse_pancreas_1", "worm_neuron"):
        what = f"pca_kmeans x 10 seeds, {dataset}"
        if not os.environ.get("SCBENCH_DATA_PATH"):
            show(what, "left out: SCBENCH_DATA_PATH is not set")
            continue
        run = command("pca_kmeans", dataset)
        show(what, run)
        print("\n".join(f"    {line}" for line in run.output.splitlines()[-3:-1]))
    show("simulate, parse, 50 PCs of 100 000 x 2 000", measure("-c", PREPARE))
    show("score of 1 000 000 labels", ", ".join(measure("-c", SCORE).output.splitlines()))


if __name__ == "__main__":
    main()
