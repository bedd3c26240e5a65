"""Speed and memory of CICL."""

from __future__ import annotations

from measuring import matmul_rate, measure, real_data_missing, show

__all__ = ["figures"]

# Prints seconds an epoch, what the device computed in them, and how the training ended. Peak memory is that of the
# process, reading and preprocessing included.
SCRIPT = """
import statistics, sys, time
import torch
from torch.utils.flop_counter import FlopCounterMode, addmm_flop
from scbench.data.config import SimulatedDataset
from scbench.data.load import open_dataset
from scbench.data.registry import load_dataset
from scbench.method import RunContext
from scbench_methods.cicl.config import CiclConfig
from scbench_methods.cicl.method import Cicl
from scbench_methods.cicl.training import Training

dataset, n_clusters, device, given = DATASET, CLUSTERS, "DEVICE", dict(GIVEN)
torch.set_num_threads(1)
torch.manual_seed(0)
counted, steps = [], []
step = Training.step

def counting(self, indices):  # the first step of a full batch is counted, the others are timed
    if not counted:
        with FlopCounterMode(display=False, custom_mapping={torch.ops.aten.addmm_: addmm_flop}) as counter:
            found = step(self, indices)
        counted.append(counter.get_total_flops() / len(indices))
        with FlopCounterMode(display=False) as counter:
            self.represent(self.x[:len(indices)])
        counted[0] += counter.get_total_flops() / len(indices)
        return found
    return step(self, indices)

Training.step = counting
stamps = []
opened = open_dataset(dataset, progress=False)
counts = opened.counts()
run = RunContext(0, device, cache=opened.cache(counts.matrix), on_log=lambda *_: stamps.append(time.perf_counter()))
started = time.perf_counter()
info = Cicl(CiclConfig(**given)).fit_predict(counts, n_clusters, run).info
ended = time.perf_counter()
seconds = statistics.median(b - a for a, b in zip(stamps, stamps[1:]))
rate = counted[0] * counts.matrix.shape[0] / seconds / 1e9
print(seconds, rate, info["epochs_run"], ended - started, torch.cuda.max_memory_allocated() / 2**20, info["stop_reason"])
"""


def _fit(dataset: str, n_clusters: int, device: str = "cpu", **given: object) -> str:
    """Return the figures of one fit in a process of its own."""
    script = SCRIPT.replace("DATASET", dataset).replace("CLUSTERS", str(n_clusters)).replace("DEVICE", device)
    measured = measure("-c", script.replace("GIVEN", repr(given)))
    seconds, rate, epochs, total, gpu, stop = measured.output.splitlines()[-1].split(maxsplit=5)
    share = f"{float(rate) / matmul_rate():.0%} of the matrix product's rate" if device == "cpu" else f"{gpu} MiB GPU"
    return (
        f"{float(seconds):.2f} s/epoch ({float(rate):.0f} GFLOP/s, {share}), {epochs} epochs in {float(total):.0f} s "
        f"({stop}), {measured.peak_rss_bytes / 2**20:.0f} MiB peak"
    )


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
