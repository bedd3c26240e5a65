"""Speed and memory of the framework and of PCA + k-means."""

from __future__ import annotations

from measuring import command, measure, median, real_data_missing, show

__all__ = ["figures"]

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
from scbench.preprocessing.prepare import STANDARD_RECIPE, principal_components
dataset = open_dataset(SimulatedDataset(name="simulated", n_cells=100_000, n_genes=2_000, n_types=15))
counts = dataset.counts()
print(principal_components(counts, STANDARD_RECIPE, 50, dataset.cache(counts.matrix)).shape)
"""


def figures() -> None:
    """Print the figures of the framework."""
    show("python -m scbench --help", median("-m", "scbench", "--help"))
    show("importing scikit-learn, pandas, h5py", median("-c", IMPORTS))
    show("random x 10 seeds, pbmc68k_reduced (no fits)", command("random", "pbmc68k_reduced"))
    show("pca_kmeans x 10 seeds, pbmc68k_reduced", command("pca_kmeans", "pbmc68k_reduced"))
    for dataset in ("mouse_pancreas_1", "worm_neuron"):
        what = f"pca_kmeans x 10 seeds, {dataset}"
        if reason := real_data_missing():
            show(what, reason)
            continue
        run = command("pca_kmeans", dataset)
        show(what, run)
        print("\n".join(f"    {line}" for line in run.output.splitlines()[-3:-1]))
    show("simulate, parse, 50 PCs of 100 000 x 2 000", measure("-c", PREPARE))
    show("score of 1 000 000 labels", ", ".join(measure("-c", SCORE).output.splitlines()))
