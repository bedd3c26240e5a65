"""Speed and memory of scCAGN: one seed each, whole commands, and one step of pre-training by its parts."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from measuring import last_row, measure, real_data_missing, show
from scbench_methods.sccagn.model import Autoencoder
from scbench_methods.sccagn.restarts import Restarts

__all__ = ["figures"]

N_CELLS, N_GENES, BATCH = 822, 2000, 16
SIMULATED = ("dataset=simulated", "dataset.n_cells=50000", "dataset.n_genes=2000")


def figures() -> None:
    """Print the figures of scCAGN."""
    for dataset in ("mouse_pancreas_1", "cite_cbmc"):
        if reason := real_data_missing():
            show(f"sccagn, {dataset}", reason)
            continue
        one_seed(dataset, f"dataset={dataset}")
    print("\n".join(f"  {line}" for line in measure(str(Path(__file__)), "step").output.splitlines()))
    one_seed("simulated 50000 x 2000", *SIMULATED)
    if torch.cuda.is_available():
        one_seed("simulated 50000 x 2000, GPU", *SIMULATED, device="cuda")
    else:
        show("sccagn, simulated 50000 x 2000, GPU", "left out: there is no CUDA device")


def one_seed(what: str, *dataset: str, device: str = "cpu") -> None:
    """Print what one run takes."""
    run = measure("-m", "scbench", "method=sccagn", *dataset, "seeds=1", "store=STORE", f"device={device}")
    row = last_row(run)
    show(f"sccagn, {what}", f"{row['seconds']:7.1f} s, {row['memory']} (command {run.wall_seconds:.0f} s)")


def _milliseconds(work: Callable[[], object], n: int = 300) -> float:
    """Return the mean processor time of ``work``, after calls that are not counted."""
    for _ in range(5):
        work()
    started = time.process_time()
    for _ in range(n):
        work()
    return 1e3 * (time.process_time() - started) / n


def step() -> None:
    """Print the time of one step of pre-training, and of the same step by autograd and torch's optimiser."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    x = torch.rand(N_CELLS, N_GENES) * (torch.rand(N_CELLS, N_GENES) < 0.15)
    x /= x.norm(dim=1, keepdim=True)
    autoencoder = Autoencoder(N_GENES)
    restarts = Restarts([autoencoder])
    plain = torch.optim.Adamax(autoencoder.parameters(), lr=1e-3)

    def batch() -> torch.Tensor:
        return x.index_select(0, torch.randint(N_CELLS, (BATCH,)))

    def by_autograd() -> None:
        rows = batch()
        plain.zero_grad(set_to_none=True)
        (autoencoder.decode(autoencoder.encode(rows)) - rows).square().mean().backward()
        plain.step()

    gradients = _milliseconds(lambda: restarts.gradients(batch()[None]))
    whole = _milliseconds(lambda: restarts.step(batch()[None], 1e-3))
    print(f"one step of {BATCH} cells x {N_GENES} genes: {whole:.2f} ms, of which gradients {gradients:.2f} ms")
    print(f"the same step by autograd and torch's optimiser: {_milliseconds(by_autograd):.2f} ms")


if __name__ == "__main__":
    {"step": step}[sys.argv[1]]()
