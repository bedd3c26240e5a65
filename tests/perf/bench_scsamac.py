"""Speed and memory of scSAMAC: whole runs, one training step and its parts, and a plain step to compare with."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from measuring import measure, real_data_missing, show
from scbench_methods.scsamac.cells import Cells
from scbench_methods.scsamac.config import ScSamacConfig
from scbench_methods.scsamac.inputs import make_inputs
from scbench_methods.scsamac.model import Network
from scbench_methods.scsamac.pretraining import pretrain_losses
from scbench_methods.scsamac.views import count_loss, encode
from scipy.sparse import csr_matrix
from torch import Tensor, nn

from scbench.method import Counts, RunContext
from scbench.nn.contrast import nt_xent
from scbench.nn.likelihood import nb_nll
from scbench.nn.optimisers import Adam

__all__ = ["figures"]

N_CELLS, N_GENES = 256, 13_166
EPOCHS = ("method.pretrain_epochs=300", "method.epochs=25", "method.tol=0")
SHEKHAR = ("dataset=simulated", "dataset.n_cells=27499", "dataset.n_genes=13166", "dataset.n_types=19")
LONG = ("method.n_top_genes=all", "method.pretrain_epochs=400", "method.epochs=50", "method.tol=0")


def figures() -> None:
    """Print the figures of scSAMAC."""
    what = "scsamac, mouse_pancreas_1, 2000 genes, 300 + 25 epochs"
    if reason := real_data_missing():
        show(what, reason)
    else:
        _command(what, "dataset=mouse_pancreas_1", "device=cpu", *EPOCHS)
    for part in ("step", "plain"):
        print("\n".join(f"  {line}" for line in measure(str(Path(__file__)), part).output.splitlines()))
    what = "scsamac, 27 499 x 13 166 simulated, 400 + 50 epochs"
    if torch.cuda.is_available():
        _command(what, *SHEKHAR, "device=cuda", *LONG)
    else:
        show(what, "left out: there is no CUDA device")


def _command(what: str, *arguments: str) -> None:
    """Print what one run takes, once; its own seconds and memory are in the table that it prints."""
    run = measure("-m", "scbench", "method=scsamac", "seeds=1", "store=STORE", *arguments)
    show(what, run)
    print("\n".join(f"    {line}" for line in run.output.splitlines()[-3:-1]))


def _milliseconds(work: Callable[[], object], n: int = 5) -> float:
    """Return the median processor time of ``work``, one thread, after one call that is not counted."""
    times = []
    for _ in range(n + 1):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return 1e3 * sorted(times[1:])[n // 2]


def _setting() -> tuple[Network, Cells]:
    """Return network and cells of one batch with all genes."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = ScSamacConfig(n_top_genes="all")
    rng = np.random.default_rng(0)
    counts = rng.poisson(rng.gamma(0.15, 1.5, (N_CELLS, N_GENES))).astype(np.float32)
    counts[0] += counts.sum(axis=0) == 0  # genes without counts would be left out
    cells = Cells(make_inputs(Counts(csr_matrix(counts)), config, None), config, RunContext(0))
    return Network(cells.n_genes, "nb", config.n_heads, config.dropout, cells.generator), cells


def step() -> None:
    """Print the time of one step of pre-training and of its parts, forward and backward together."""
    network, cells = _setting()
    optimiser = Adam(network.parameters(), lr=1e-4, amsgrad=True)
    chosen = torch.arange(N_CELLS)
    batch = cells.batch(chosen)
    x = cells.scaled(batch)
    hidden = torch.rand(3, N_CELLS, 64, requires_grad=True)
    latent = torch.rand(3, N_CELLS, 32, requires_grad=True)

    def whole() -> None:
        terms = pretrain_losses(network, cells, chosen)
        optimiser.zero_grad()
        (terms["nb"] + 0.001 * terms["contrast"]).backward()
        optimiser.step()

    parts: dict[str, Callable[[], object]] = {
        "batch and z-scores": lambda: cells.scaled(cells.batch(chosen)),
        "noise": lambda: cells.noisy(x),
        "mask": lambda: cells.visible_genes(x),
        "attention of three views": lambda: network.attend(hidden).sum().backward(),
        "decoder, heads, likelihood": lambda: count_loss(network, cells, latent[0], cells.batch(chosen)).backward(),
        "contrast": lambda: nt_xent(latent[1], latent[2], 0.07, normalize=False).backward(),
        "optimiser": optimiser.step,
    }
    encoded = _milliseconds(lambda: encode(network, cells, x, ("noisy", "clean", "masked")).sum().backward())
    found = {name: _milliseconds(part) for name, part in parts.items()}
    found["first layer of three views"] = encoded - sum(found[n] for n in ("noise", "mask", "attention of three views"))
    total = _milliseconds(whole)
    density = len(batch.where) / (N_CELLS * cells.n_genes)
    print(f"one step, {N_CELLS} cells x {cells.n_genes} genes, {density:.0%} non-zero, float32: {total:.0f} ms")
    for name, value in sorted(found.items(), key=lambda item: -item[1]):
        print(f"  {name:<28} {value:7.1f} ms {value / total:5.0%}")


class _PlainAttention(nn.Module):
    """Attention of cells as its equations are written, all scores at hand."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query, self.key, self.value, self.combine = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        """Return x plus what each cell gathers."""
        heads = [layer(x).view(len(x), 8, -1).transpose(0, 1) for layer in (self.query, self.key, self.value)]
        scores = heads[0] @ heads[1].mT / math.sqrt(heads[0].shape[-1])
        weights = nn.functional.dropout(scores.softmax(dim=-1), 0.1)
        result: Tensor = x + self.combine((weights @ heads[2]).transpose(0, 1).reshape(x.shape))
        return result


def _masked_by_columns(x: Tensor) -> Tensor:
    """Return the masked view, column by column."""
    masked = x.clone()
    sums = masked.sum(dim=0)
    largest = float(sums.max())
    for gene in range(x.shape[1]):
        ratio = float(sums[gene]) / largest
        rate = 0.6 if ratio < 0.1 else 0.3 if ratio < 0.3 else 0.1
        if float(torch.rand(())) < rate:
            masked[:, gene] = 0
    return masked


def plain() -> None:
    """Print the time of one step as the equations are written: float64, dense, a loop over the columns of the mask."""
    _, cells = _setting()
    batch = cells.batch(torch.arange(N_CELLS))
    x, counts = cells.scaled(batch).double(), torch.zeros(N_CELLS, cells.n_genes, dtype=torch.float64)
    counts.view(-1)[batch.where] = batch.gathered.values.double()
    encoder = nn.Sequential(
        nn.Linear(cells.n_genes, 256), nn.ReLU(), nn.Linear(256, 64), nn.ReLU(), _PlainAttention(64),
        nn.Linear(64, 32), _PlainAttention(32),
    ).double()  # fmt: skip
    decoder = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 256), nn.ReLU()).double()
    heads = nn.ModuleList(nn.Linear(256, cells.n_genes) for _ in range(2)).double()
    optimiser = torch.optim.Adam([*encoder.parameters(), *decoder.parameters(), *heads.parameters()], amsgrad=True)

    def whole() -> None:
        noisy, clean = encoder(x + 2.5 * torch.randn_like(x)), encoder(x)
        masked = encoder(_masked_by_columns(x))
        decoded = decoder(noisy)
        mean = heads[0](decoded).exp().clamp(1e-5, 1e6) * batch.size_factors[:, None]
        disp = nn.functional.softplus(heads[1](decoded)).clamp(1e-4, 1e4)
        loss = nb_nll(counts, mean, disp) + 0.001 * nt_xent(clean, masked, 0.07, normalize=False)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    print(f"the same step, plain: float64, dense, loop over columns: {_milliseconds(whole, 3):.0f} ms")


if __name__ == "__main__":
    {"step": step, "plain": plain}[sys.argv[1]]()
