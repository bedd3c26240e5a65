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
from pathlib import Path

REPEATS = 3
MATMUL = "import numpy as np, time; a = np.ones((2048, 2048), 'f4'); a @ a; t = time.perf_counter(); [a @ a for _ in range(3)]; print(3 * 2 * 2048**3 / (time.perf_counter() - t) / 1e9)"
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
    """What one process took, its children included."""

    wall_seconds: float
    cpu_seconds: float
    peak_rss_bytes: int
    output: str

    def __str__(self) -> str:
        """Show the figures."""
        return f"{self.wall_seconds:6.2f} s wall, {self.cpu_seconds:6.2f} s cpu, {self.peak_rss_bytes / 2**20:6.0f} MiB peak"


def measure(*arguments: str, cache: Path) -> Measured:
    """Run a Python command line once."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    environment = {**os.environ, **threads, "SCBENCH_CACHE": str(cache)}
    with tempfile.TemporaryFile("w+") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *arguments], stdout=output, stderr=subprocess.STDOUT, env=environment
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read()
    if process.returncode != 0:
        raise SystemExit(f"{arguments} ended with {process.returncode}:\n{text}")
    return Measured(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, text)


def best(*arguments: str, repeats: int = REPEATS, fresh_cache: bool = True) -> Measured:
    """Return the run of median wall time out of several."""
    runs = []
    with tempfile.TemporaryDirectory() as shared:
        for _ in range(repeats):
            with tempfile.TemporaryDirectory() as folder:
                runs.append(measure(*arguments, cache=Path(folder if fresh_cache else shared)))
    return sorted(runs, key=lambda run: run.wall_seconds)[len(runs) // 2]


def command(method: str, dataset: str, *more: str) -> list[str]:
    """Return a command with a store of its own."""
    store = tempfile.mkdtemp(prefix="scbench-bench-")
    return ["-m", "scbench", f"method={method}", f"dataset={dataset}", f"store={store}", "device=cpu", *more]


def retrying(method: str, dataset: str, repeats: int = REPEATS) -> Measured:
    """Return the median of whole commands with 10 seeds, each into an empty store with an empty cache."""
    runs = [best(*command(method, dataset), repeats=1) for _ in range(repeats)]
    return sorted(runs, key=lambda run: run.wall_seconds)[len(runs) // 2]


def main() -> None:
    """Print all figures."""
    rate = float(best("-c", MATMUL).output)
    print(f"machine: {platform.processor() or platform.machine()}, {len(os.sched_getaffinity(0))} cores,")
    print(f"         float32 matrix product on one core {rate:.0f} GFLOP/s; medians of {REPEATS}")
    print(f"\npython -m scbench --help                     {best('-m', 'scbench', '--help')}")
    print(f"bare imports, for comparison                 {best('-c', IMPORTS)}")
    print(f"random x 10 seeds, pbmc68k_reduced (framework only)\n{'':45}{retrying('random', 'pbmc68k_reduced')}")
    print(f"pca_kmeans x 10 seeds, pbmc68k_reduced       {retrying('pca_kmeans', 'pbmc68k_reduced')}")
    for dataset in ("mouse_pancreas_1", "worm_neuron"):
        if not os.environ.get("SCBENCH_DATA_PATH"):
            print(f"pca_kmeans x 10 seeds, {dataset}: left out, SCBENCH_DATA_PATH is not set")
            continue
        run = retrying("pca_kmeans", dataset)
        print(f"pca_kmeans x 10 seeds, {dataset:<21} {run}")
        print("\n".join(f"    {line}" for line in run.output.splitlines()[-3:]))
    print(f"simulate, load, 50 PCs of 100 000 x 2 000    {best('-c', PREPARE, repeats=1)}")
    print(
        f"score of 1 000 000 labels                    {', '.join(best('-c', SCORE, repeats=1).output.split(chr(10)))}"
    )


if __name__ == "__main__":
    main()
