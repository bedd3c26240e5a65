"""Speed and memory of scSiameseClu: one seed each, whole commands; seconds and memory are those of the run."""

from __future__ import annotations

import math

from measuring import last_row, measure, real_data_missing, show

__all__ = ["figures"]

GROWTH = (5_000, 15_000, 50_000)
HAS_CUDA = "import torch; print(int(torch.cuda.is_available()))"


def figures() -> None:
    """Print the figures of scSiameseClu."""
    one_seed("pbmc68k_reduced", "dataset=pbmc68k_reduced")
    for dataset in ("mouse_pancreas_1", "cite_cbmc"):
        if reason := real_data_missing():
            show(f"scsiameseclu, {dataset}", reason)
            continue
        one_seed(dataset, f"dataset={dataset}")
    seconds = [
        one_seed(f"simulated {n} x 2000", "dataset=simulated", f"dataset.n_cells={n}", "dataset.n_genes=2000")
        for n in GROWTH
    ]
    exponent = math.log(seconds[-1] / seconds[0]) / math.log(GROWTH[-1] / GROWTH[0])
    show(f"growth from {GROWTH[0]} to {GROWTH[-1]} cells", f"seconds ~ n^{exponent:.2f}")
    if measure("-c", HAS_CUDA).output.strip() != "1":
        show("simulated 27 499 x 13 166 on a GPU", "left out: no CUDA device")
        return
    size = ("dataset.n_cells=27499", "dataset.n_genes=13166", "dataset.n_types=19")
    one_seed("simulated 27499 x 13166, GPU", "dataset=simulated", *size, device="cuda")


def one_seed(what: str, *dataset: str, device: str = "cpu") -> float:
    """Print and return the seconds of one run."""
    run = measure("-m", "scbench", "method=scsiameseclu", *dataset, "seeds=1", "store=STORE", f"device={device}")
    row = last_row(run)
    show(f"scsiameseclu, {what}", f"{row['seconds']:7.1f} s, {row['memory']} (command {run.wall_seconds:.0f} s)")
    return float(row["seconds"])
