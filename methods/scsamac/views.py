"""Three views of a batch through one encoder: with noise, as it is, and with masked genes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from scbench_methods.scsamac.cells import Cells
from scbench_methods.scsamac.model import Network
from torch import Tensor
from torch.nn.functional import linear

from scbench.nn.count_batch import CountBatch
from scbench.nn.sparse_counts import nb_loss, zinb_loss

__all__ = ["count_loss", "encode"]


def encode(network: Network, cells: Cells, x: Tensor, views: Sequence[str]) -> Tensor:
    """Return the latent of each view of a batch, (n_views, n_cells, 32).

    The first layer runs view by view, because the masked view needs only the columns that it keeps; all layers after
    it run on the stacked views. Cells attend to cells of their own view.

    Args:
        network: shared by all views.
        cells: noise, masks and precision.
        x: (n_cells, n_genes) z-scores.
        views: names out of "noisy", "clean" and "masked".
    """
    with cells.wide_products():
        wide = [_first_layer(network, cells, x, view) for view in views]
    return network.attend(network.hidden(torch.stack(wide).to(x.dtype)))


def _first_layer(network: Network, cells: Cells, x: Tensor, view: str) -> Tensor:
    """Return the first linear layer of one view."""
    weight, bias = network.wide.weight, network.wide.bias
    if view == "noisy":
        return linear(cells.noisy(x), weight, bias)
    if view == "masked":
        genes = cells.visible_genes(x)
        return linear(x.index_select(1, genes), weight.index_select(1, genes), bias)
    return linear(x, weight, bias)


def count_loss(network: Network, cells: Cells, latent: Tensor, batch: CountBatch) -> Tensor:
    """Return the negative log-likelihood of the counts of a batch, mean over entries.

    Args:
        network: decoder and heads.
        cells: precision.
        latent: (n_cells, 32) of the noisy view.
        batch: counts of the same cells.
    """
    decoded = network.decoder(latent)
    loss = nb_loss if network.heads.pi is None else zinb_loss
    with cells.wide_products():
        return loss(decoded, network.heads, batch)
