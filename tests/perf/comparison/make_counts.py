"""Write a dataset's counts to one file that any build can be given; labels stay where they are.

``python -P make_counts.py DATASET FILE`` with DATASET the name of a registered one, or CELLSxGENESxTYPES of a simulation.
Ends with 3, and the reason on the output, when the dataset is not on this machine: nothing is downloaded.
"""

from __future__ import annotations

import sys

import numpy as np

from scbench.data.at_hand import not_at_hand
from scbench.data.config import SimulatedDataset
from scbench.data.load import open_dataset
from scbench.data.registry import load_dataset

NOT_HERE = 3


def main(name: str, path: str) -> int:
    """Write the file."""
    if name[0].isdigit():
        n_cells, n_genes, n_types = (int(size) for size in name.split("x"))
        dataset = open_dataset(
            SimulatedDataset(name="simulated", n_cells=n_cells, n_genes=n_genes, n_types=n_types), progress=False
        )
    else:
        reason = not_at_hand([name]).get(name)
        if reason:
            print(f"{name} is {reason}")
            return NOT_HERE
        dataset = open_dataset(load_dataset(name), progress=False)
    counts, labels = dataset.stored.counts(), dataset.labels()  # the stored order is not the file's
    matrix = counts.matrix
    np.savez(
        path,
        data=matrix.data,
        indices=matrix.indices,
        indptr=matrix.indptr,
        shape=np.array(matrix.shape),
        is_counts=counts.is_counts,
        n_types=len(np.unique(labels)) if labels is not None else 8,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
