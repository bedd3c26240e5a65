"""Stage 1: denoise the counts, and keep a cell near its masked view."""

from __future__ import annotations

from scbench_methods.scsamac.cells import Cells
from scbench_methods.scsamac.ending import Ending
from scbench_methods.scsamac.model import Network
from scbench_methods.scsamac.views import count_loss, encode
from torch import Tensor

from scbench.method import RunContext
from scbench.nn.contrast import nt_xent
from scbench.nn.optimisers import Adam
from scbench.nn.train import run_epochs

__all__ = ["pretrain", "pretrain_losses"]


def pretrain(network: Network, cells: Cells, run: RunContext) -> tuple[int, str]:
    """Train the network on all cells that have counts; return the epochs run and why they ended.

    Args:
        network: changed in place.
        cells: the inputs.
        run: takes the mean terms of each epoch.

    Returns:
        The number of epochs, and "epochs" or, with ``budget=fast`` only, "plateau".

    Raises:
        Diverged: when a loss is not finite.
    """
    config = cells.config
    network.train()
    optimiser = Adam(network.parameters(), cells.config.lr, amsgrad=True)

    def step(indices: Tensor) -> dict[str, Tensor]:
        terms = pretrain_losses(network, cells, cells.taught[indices])
        total = terms[cells.config.likelihood]
        if "contrast" in terms:
            total = total + config.contrast_weight * terms["contrast"]
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        return terms

    ending = Ending(config.budget, {config.likelihood: 1.0, "contrast": config.contrast_weight})

    def on_epoch(epoch: int, terms: dict[str, float]) -> bool:
        run.log(epoch, **terms)
        return ending.is_reached(terms)

    history = run_epochs(
        step,
        len(cells.taught),
        cells.config.batch_size,
        config.pretrain_epochs,
        cells.order,
        min_batch=cells.least_batch,
        on_epoch=on_epoch,
    )
    return len(history), ending.reason or "epochs"


def pretrain_losses(network: Network, cells: Cells, chosen: Tensor) -> dict[str, Tensor]:
    """Return the unweighted terms of the loss for a batch; without a weight there is no contrast and no pass for it.

    Args:
        network: in the mode that is wanted.
        cells: the inputs.
        chosen: (n_chosen,) int64 on the CPU.
    """
    config = cells.config
    batch = cells.batch(chosen)
    is_contrasted = config.contrast_weight > 0
    views = ("noisy", "clean", "masked") if is_contrasted else ("noisy",)
    latent = encode(network, cells, cells.scaled(batch), views)
    terms = {config.likelihood: count_loss(network, cells, latent[0], batch)}
    if is_contrasted:
        terms["contrast"] = nt_xent(latent[1], latent[2], config.temperature, normalize=config.contrast_normalize)
    return terms
