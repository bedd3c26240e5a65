"""The latent of every cell: what it attends to when there is no batch."""

from __future__ import annotations

import torch
from scbench_methods.scsamac.cells import Cells
from scbench_methods.scsamac.model import Network
from torch import Tensor

from scbench.method import Diverged
from scbench.nn.train import predict_batches

__all__ = ["Evaluation"]

_ROWS_AT_ONCE = 512


class Evaluation:
    """Latents of all cells without noise, masks and dropout.

    In the scope "all" each cell attends to all cells with counts at once, which is what attention over a random batch
    estimates; the result does not depend on the order of the cells. Above ``exact_attention_cells`` it attends to a
    random choice of them, drawn once. In the scope "blocks" it attends to the ``batch_size`` cells that it came with.
    A cell without counts attends to others and none attends to it.

    Args:
        network: evaluated as it is at each call.
        cells: the inputs.
    """

    def __init__(self, network: Network, cells: Cells) -> None:
        self._network = network
        self._cells = cells
        config = cells.config
        self.is_sampled = config.attention_scope == "all" and len(cells.taught) > config.exact_attention_cells
        others = cells.taught
        if self.is_sampled:
            others = others[torch.randperm(len(others), generator=cells.order)[: config.n_landmarks]]
        self._others = others.to(cells.device)

    @property
    def scope(self) -> str:
        """What a cell attends to, for the run's record."""
        if self.is_sampled:
            return f"{len(self._others)} random cells"
        return "all cells" if self._cells.config.attention_scope == "all" else "blocks in the order of the cells"

    @torch.no_grad()
    def latent(self, epoch: int = 0) -> Tensor:
        """Return (n_cells, 32).

        Args:
            epoch: the last one that was trained.

        Raises:
            Diverged: when a number is not finite: the last step of an epoch can ruin the weights after its losses.
        """
        latent = self._latent()
        if not bool(torch.isfinite(latent).all()):
            raise Diverged(epoch, {"latent": float(latent.sum())})
        return latent

    def _latent(self) -> Tensor:
        """Return the latent whatever it is."""
        network, cells = self._network, self._cells
        everything = torch.arange(cells.n_cells)
        hidden = predict_batches(network, everything, batch_size=_ROWS_AT_ONCE, call=self._hidden)
        was_training = network.training
        network.eval()
        try:
            if cells.config.attention_scope == "all":
                return network.attend(hidden, self._others)
            return self._by_blocks(hidden)
        finally:
            network.train(was_training)

    def _hidden(self, rows: Tensor) -> Tensor:
        """Return the representation of some cells before attention."""
        cells = self._cells
        x = cells.scaled(cells.batch(rows))
        with cells.wide_products():
            wide = self._network.wide(x)
        return self._network.hidden(wide.to(x.dtype))

    def _by_blocks(self, hidden: Tensor) -> Tensor:
        """Return latents with attention within blocks; cells without counts look at the last block."""
        cells = self._cells
        latent = hidden.new_empty(len(hidden), self._network.latent.out_features)
        blocks = cells.taught.split(cells.config.batch_size)
        for i, block in enumerate(blocks):
            rows = torch.cat([block, cells.empty]) if i == len(blocks) - 1 else block
            others = torch.arange(len(block), device=hidden.device)
            latent[rows.to(hidden.device)] = self._network.attend(hidden[rows.to(hidden.device)], others)
        return latent
