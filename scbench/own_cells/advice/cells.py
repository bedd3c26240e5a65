"""What advice depends on, read from a file as the command line reads it."""

from __future__ import annotations

from collections.abc import Sequence

import psutil

from scbench.config.compose import run_with_config
from scbench.config.schema import RunConfig
from scbench.errors import ConfigError
from scbench.own_cells.advice.advice import Cells
from scbench.run.local.devices import gpu_count
from scbench.run.open_datasets import open_all

__all__ = ["cells_of"]


def cells_of(path: str, of_dataset: Sequence[str], n_clusters: int | None, has_gpu: bool | None) -> Cells:
    """Return what a file holds and this machine has.

    Args:
        path: the file or folder.
        of_dataset: overrides of ``dataset``.
        n_clusters: K where it is known.
        has_gpu: None to look.

    Raises:
        ScbenchError: the file cannot be read.
    """
    configs: list[RunConfig] = []

    def take(found: list[RunConfig]) -> int:
        configs.extend(found)
        return 0

    labels = [] if any(one.startswith("dataset.label=") for one in of_dataset) else ["dataset.label=none"]
    given = ["method=random", "dataset=file", f"dataset.path={path}", "n_clusters=1", "seeds=1", *labels, *of_dataset]
    if run_with_config(given, take) or not configs:
        raise ConfigError("the configuration cannot be composed; see the lines above")
    dataset = open_all(configs).runs[0].dataset
    matrix = dataset.stored.counts().matrix
    return Cells(
        dataset.name,
        dataset.n_cells,
        dataset.n_genes,
        1 - matrix.nnz / (matrix.shape[0] * matrix.shape[1]),
        dataset.is_counts,
        n_clusters,
        gpu_count() > 0 if has_gpu is None else has_gpu,
        psutil.virtual_memory().available / 2**20,
    )
