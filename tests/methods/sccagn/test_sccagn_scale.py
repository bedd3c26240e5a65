"""Memory in a set where one n x n array would take 10 GB."""

from __future__ import annotations

import subprocess
import sys

import pytest

FIT = """
import resource
from scbench_methods.sccagn.config import ScCagnConfig
from scbench_methods.sccagn.method import ScCagn
from scbench.data.config import SimulatedDataset
from scbench.data.simulate import simulate
from scbench.method import Counts, RunContext
from scbench.run.seeding import seed_process

counts = Counts(simulate(SimulatedDataset(name="s", n_cells=50_000, n_genes=2_000, n_types=10)).matrix)
config = ScCagnConfig(pretrain_epochs=1, restarts=1, epochs=3, n_init=1)
seed_process(0, uses_torch=True)
found = ScCagn(config).fit_predict(counts, 10, RunContext(0))
print(found.info["attention"], "/", found.info["distances_of"], "/", found.labels.shape[0])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_fifty_thousand_cells_fit_into_four_gigabytes() -> None:
    done = subprocess.run([sys.executable, "-c", FIT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said, peak_kib = done.stdout.splitlines()
    assert said == "exact, by series / 50 principal components / 50000"
    assert int(peak_kib) * 1024 < 4e9
