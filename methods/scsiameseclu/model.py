"""The network: an autoencoder and a graph autoencoder, fused cell by cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from scbench.nn.blocks import mlp
from scbench.nn.igae import GraphLayers, LayerOutput
from scbench.nn.likelihood import CountHeads
from scbench.nn.propagate import Propagator

__all__ = ["CODE_SIZE", "Attention", "Codes", "Network", "mean_over_views"]

CODE_SIZE = 20
_HIDDEN = (128, 256, 512)
_GRAPH_HIDDEN = (128, 256)
_ROWS_KEPT = 10_000

Attention = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Codes:
    """What the encoders give.

    Attributes:
        ae: (n_cells, 20) of the autoencoder, one for each view.
        graph: outputs of the three layers of the graph encoder, one list for each view.
    """

    ae: list[Tensor]
    graph: list[list[LayerOutput]]

    @property
    def graph_codes(self) -> list[Tensor]:
        """Return the last layer's output of each view, (n_cells, 20) each."""
        return [layers[-1].values for layers in self.graph]


class Network(nn.Module):
    """All trained parameters but the centroids.

    Args:
        n_cells: one pair of fusion weights for each: the model is transductive.
        n_features: width of the input.
        n_outputs: width of the count distribution.

    Source: scSiameseClu (IJCAI 2025), on DFCN (AAAI 2021) and DCRN (AAAI 2022).
    """

    def __init__(self, n_cells: int, n_features: int, n_outputs: int) -> None:
        super().__init__()
        self.encoder = mlp([n_features, *_HIDDEN, CODE_SIZE], "leaky_relu")
        self.decoder = mlp([CODE_SIZE, *reversed(_HIDDEN)], "leaky_relu", act_last=True)
        self.output = nn.Linear(_HIDDEN[0], n_features)
        self.heads = CountHeads(_HIDDEN[0], n_outputs)
        self.graph_encoder = GraphLayers([n_features, *_GRAPH_HIDDEN, CODE_SIZE], tanh_last=False)
        self.graph_decoder = GraphLayers([CODE_SIZE, *reversed(_GRAPH_HIDDEN), n_features], tanh_last=True)
        self.ae_weight = nn.Parameter(torch.full((n_cells, CODE_SIZE), 0.5))
        self.graph_weight = nn.Parameter(torch.full((n_cells, CODE_SIZE), 0.5))
        self.attention_weight = nn.Parameter(torch.zeros(()))

    def encode(self, views: Sequence[tuple[Tensor, Propagator]], *, propagated: bool = False) -> Codes:
        """Return the codes of each view.

        Args:
            views: features (n_cells, n_features) and graph of each.
            propagated: also give each graph layer's propagated copy.
        """
        ae = [_by_rows(self.encoder, x) for x, _ in views]
        graph = [self.graph_encoder(x, adjacency, propagated=propagated) for x, adjacency in views]
        return Codes(ae, graph)

    def fuse(self, codes: Codes, graph: Propagator, attention: Attention) -> Tensor:
        """Return the embedding Z, (n_cells, 20).

        Z_i = a * mean AE code + b * mean graph code, Z_l = A Z_i, Z = w softmax(Z_l Z_l^T) Z_l + Z_l.
        """
        mixed = self.ae_weight * mean_over_views(codes.ae) + self.graph_weight * mean_over_views(codes.graph_codes)
        local = graph.once(mixed)
        return self.attention_weight * attention(local) + local

    def decode(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """Return the reconstruction (n_cells, n_features) and the hidden layer that the count heads read."""
        hidden = _by_rows(self.decoder, latent)
        return self.output(hidden), hidden


def _by_rows(layers: nn.Module, x: Tensor) -> Tensor:
    """Return ``layers(x)`` for layers that treat each cell alone.

    In large sets the hidden activations of a piece of the cells are computed again for the backward pass instead of
    kept for all: they would be half of all memory.
    """
    if len(x) <= _ROWS_KEPT or not torch.is_grad_enabled():
        result: Tensor = layers(x)
        return result
    return torch.cat([checkpoint(layers, piece, use_reentrant=False) for piece in torch.split(x, _ROWS_KEPT)])


def mean_over_views(parts: Sequence[Tensor]) -> Tensor:
    """Return the mean of tensors of one shape."""
    return parts[0] if len(parts) == 1 else torch.stack(list(parts)).mean(dim=0)
