"""The network: an autoencoder and a graph autoencoder, fused cell by cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from scbench_methods.scsiameseclu.layers import apply_layers
from torch import Tensor, nn

from scbench.nn.blocks import mlp
from scbench.nn.igae import GraphLayers, GraphPass, Regulariser, mean_over_views
from scbench.nn.likelihood import CountHeads
from scbench.nn.propagate import Propagator

__all__ = ["CODE_SIZE", "Attention", "Codes", "Network"]

CODE_SIZE = 20
_HIDDEN = (128, 256, 512)
_GRAPH_HIDDEN = (128, 256)
_ROWS_KEPT = 4096

Attention = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Codes:
    """What the encoders give.

    Attributes:
        ae: (n_cells, 20) of the autoencoder, one for each view.
        graph: what the graph encoder gives of all views.
    """

    ae: list[Tensor]
    graph: GraphPass


class Network(nn.Module):
    """All trained parameters but the centroids.

    Args:
        n_cells: one pair of fusion weights for each: the model is transductive.
        n_features: width of the input.
        n_outputs: width of the count distribution.
        product_type: of the products of layers; their results are float32.

    Source: scSiameseClu (IJCAI 2025), on DFCN (AAAI 2021) and DCRN (AAAI 2022).
    """

    def __init__(
        self, n_cells: int, n_features: int, n_outputs: int, product_type: torch.dtype = torch.float32
    ) -> None:
        super().__init__()
        self.product_type = product_type
        self.encoder = mlp([n_features, *_HIDDEN, CODE_SIZE], "leaky_relu")
        self.decoder = mlp([CODE_SIZE, *reversed(_HIDDEN)], "leaky_relu", act_last=True)
        self.output = nn.Linear(_HIDDEN[0], n_features)
        self.heads = CountHeads(_HIDDEN[0], n_outputs)
        self.graph_encoder = GraphLayers([n_features, *_GRAPH_HIDDEN, CODE_SIZE], tanh_last=False)
        self.graph_decoder = GraphLayers([CODE_SIZE, *reversed(_GRAPH_HIDDEN), n_features], tanh_last=True)
        self.ae_weight = nn.Parameter(torch.full((n_cells, CODE_SIZE), 0.5))
        self.graph_weight = nn.Parameter(torch.full((n_cells, CODE_SIZE), 0.5))
        self.attention_weight = nn.Parameter(torch.zeros(()))

    def encode(self, views: Sequence[tuple[Tensor, Propagator]], regulariser: Regulariser | None = None) -> Codes:
        """Return the codes of each view.

        Args:
            views: features (n_cells, n_features) and graph of each.
            regulariser: of the graph layers, as for :class:`GraphLayers`.
        """
        return Codes([self.encode_features(x) for x, _ in views], self.encode_graph(views, regulariser))

    def encode_features(self, x: Tensor) -> Tensor:
        """Return the autoencoder's code, (n_cells, 20)."""
        return self._by_rows(self.encoder, x)

    def encode_graph(
        self, views: Sequence[tuple[Tensor, Propagator]], regulariser: Regulariser | None = None
    ) -> GraphPass:
        """Return the graph encoder's pass; its codes are (n_cells, 20)."""
        return self._through(self.graph_encoder, views, regulariser)

    def decode_graph(self, latent: Tensor, graph: Propagator, regulariser: Regulariser | None = None) -> GraphPass:
        """Return the graph decoder's pass; its one code is the smoothed features, (n_cells, n_features)."""
        return self._through(self.graph_decoder, [(latent, graph)], regulariser)

    def fuse(self, codes: Codes, graph: Propagator, attention: Attention) -> Tensor:
        """Return the embedding Z, (n_cells, 20).

        Z_i = a * mean AE code + b * mean graph code, Z_l = A Z_i, Z = w softmax(Z_l Z_l^T) Z_l + Z_l.
        """
        mixed = self.ae_weight * mean_over_views(codes.ae) + self.graph_weight * mean_over_views(codes.graph.codes)
        local = graph.once(mixed)
        return self.attention_weight * attention(local) + local

    def decode(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """Return the reconstruction (n_cells, n_features) and the hidden layer that the count heads read."""
        hidden = self._by_rows(self.decoder, latent)
        return self._by_rows(nn.Sequential(self.output), hidden), hidden

    def _by_rows(self, layers: nn.Sequential, x: Tensor) -> Tensor:
        """Return ``layers(x)``; in large sets activations are computed again for the backward pass, not kept."""
        return apply_layers(layers, x, rows_kept=_ROWS_KEPT, product_type=self.product_type)

    def _through(
        self, layers: GraphLayers, views: Sequence[tuple[Tensor, Propagator]], regulariser: Regulariser | None
    ) -> GraphPass:
        """Return the pass of all views through graph layers."""
        found: GraphPass = layers(views, regulariser, rows_kept=_ROWS_KEPT, product_type=self.product_type)
        return found
