"""Speed and memory of CICL."""

from __future__ import annotations

from measuring import matmul_rate, measure, real_data_missing, show

__all__ = ["figures"]

# Prints the floating-point operations of all matrix products of an epoch, per cell; in a process of its own, because
# the counter takes memory.
COUNT = """
import torch
from torch.utils.flop_counter import FlopCounterMode
from scbench.method import RunContext
from scbench_methods.cicl.config import CiclConfig
from scbench_methods.cicl.training import Training

def flops_in_place(target, left, right, out_shape=None, **_):
    return 2 * left[0] * left[1] * right[1]

n_cells = min(CELLS, CiclConfig().batch_size)
cells = torch.arange(n_cells)
training = Training(CiclConfig(), torch.randn(n_cells, CiclConfig().n_top_genes), cells, CLUSTERS, RunContext(0))
with FlopCounterMode(display=False, custom_mapping={torch.ops.aten.addmm_: flops_in_place}) as counter:
    training.step(cells)
    training.represent(training.x)
print(counter.get_total_flops() / n_cells)
"""
# Prints the number of cells, median seconds an epoch, epochs, seconds, MiB on the GPU, and why the training ended. Peak
# memory is that of a run which prepares its own input; the other seeds of a command take it from the cache.
FIT = """
import os, statistics, time
from scbench.data.config import SimulatedDataset
from scbench.data.load import open_dataset
from scbench.data.registry import load_dataset

dataset = DATASET
if os.fork() == 0:  # the command line parses files in another process than a run's, too
    try:
        open_dataset(dataset, progress=False).counts()
    finally:
        os._exit(0)
os.wait()

import torch
from scbench.method import RunContext
from scbench_methods.cicl.config import CiclConfig
from scbench_methods.cicl.method import Cicl

torch.set_num_threads(1)
torch.manual_seed(0)
stamps = []
opened = open_dataset(dataset, progress=False)
counts = opened.counts()
run = RunContext(0, "DEVICE", cache=opened.cache(counts.matrix), on_log=lambda *_: stamps.append(time.perf_counter()))
started = time.perf_counter()
info = Cicl(CiclConfig(**GIVEN)).fit_predict(counts, CLUSTERS, run).info
total = time.perf_counter() - started
seconds = statistics.median(b - a for a, b in zip(stamps, stamps[1:]))
gpu = torch.cuda.max_memory_allocated() / 2**20 if "DEVICE" != "cpu" else 0
print(counts.matrix.shape[0], seconds, info["epochs_run"], total, gpu, info["stop_reason"])
"""


def _fit(dataset: str, n_clusters: int, device: str = "cpu", **given: object) -> str:
    """Return the figures of one fit in a process of its own."""
    known = {"DATASET": dataset, "CLUSTERS": str(n_clusters), "DEVICE": device, "GIVEN": repr(given)}
    before = matmul_rate()
    measured = measure("-c", _filled(FIT, known))
    product = (before + matmul_rate()) / 2  # other work on the machine slows both
    n_cells, seconds, epochs, total, gpu, stop = measured.output.splitlines()[-1].split(maxsplit=5)
    per_cell = float(measure("-c", _filled(COUNT, known | {"CELLS": n_cells})).output.splitlines()[-1])
    rate = per_cell * int(n_cells) / float(seconds) / 1e9
    where = f"{rate / product:.0%} of the matrix product's {product:.0f}" if device == "cpu" else f"{gpu} MiB GPU"
    return (
        f"{float(seconds):.2f} s/epoch ({rate:.0f} GFLOP/s, {where}), {epochs} epochs in {float(total):.0f} s ({stop}), "
        f"{measured.peak_rss_bytes / 2**20:.0f} MiB peak"
    )


def _filled(script: str, known: dict[str, str]) -> str:
    """Return the script with its names in capitals replaced."""
    for name, value in known.items():
        script = script.replace(name, value)
    return script


def _simulated(n_cells: int, n_genes: int, n_types: int) -> str:
    """Return the expression for a simulated dataset."""
    return f"SimulatedDataset(name='simulated', n_cells={n_cells}, n_genes={n_genes}, n_types={n_types})"


def figures() -> None:
    """Print the figures of CICL."""
    import torch

    what = "mouse_pancreas_1 (822 cells), to the stop"
    show(what, real_data_missing() or _fit("load_dataset('mouse_pancreas_1')", 13))
    what = "young_top2000 (5685 cells), 3 epochs"
    show(what, real_data_missing() or _fit("load_dataset('young_top2000')", 11, epochs=3))
    show("simulated 50 000 x 2 000, 2 epochs", _fit(_simulated(50_000, 2_000, 8), 8, epochs=2))
    if torch.cuda.is_available():
        show("simulated 48 266 x 25 187, to the stop, GPU", _fit(_simulated(48_266, 25_187, 8), 8, "cuda"))
    else:
        show("simulated 48 266 x 25 187, GPU", "left out: no CUDA device")
