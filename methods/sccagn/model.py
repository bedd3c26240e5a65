"""The networks: an autoencoder, a graph network beside it, and how the two are mixed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from scbench_methods.sccagn.config import LATENT_WIDTH, ScCagnConfig
from scbench_methods.sccagn.cross_attention import CrossAttention, Reach
from scbench_methods.sccagn.gnn import LAYERS, CellGraph
from torch import Tensor, nn

__all__ = ["HIDDEN_WIDTHS", "N_ENCODER", "Autoencoder", "Network"]

HIDDEN_WIDTHS = (100, 200, 200)
N_ENCODER = 4  # layers up to the latent


class Autoencoder(nn.Module):
    """Linear layers M-100-200-200-8-200-200-100-M, a ReLU after each but the latent and the last.

    Args:
        n_genes: M.
        hidden: widths of the encoder; the decoder mirrors them.
        n_latent: width of the latent.
    """

    def __init__(self, n_genes: int, hidden: Sequence[int] = HIDDEN_WIDTHS, n_latent: int = LATENT_WIDTH) -> None:
        super().__init__()
        sizes = [n_genes, *hidden, n_latent, *reversed(hidden), n_genes]
        self.layers = nn.ModuleList(nn.Linear(n_in, n_out) for n_in, n_out in pairwise(sizes))

    def encode(self, x: Tensor) -> Tensor:
        """Return the latent (n_cells, n_latent)."""
        for layer in self.layers[: N_ENCODER - 1]:
            x = torch.relu(layer(x))
        latent: Tensor = self.layers[N_ENCODER - 1](x)
        return latent

    def decode(self, latent: Tensor) -> Tensor:
        """Return the reconstruction (n_cells, n_genes)."""
        for layer in self.layers[N_ENCODER:-1]:
            latent = torch.relu(layer(latent))
        result: Tensor = self.layers[-1](latent)
        return result


class Network(nn.Module):
    """All trained parameters of the main phase but the discriminator's.

    Args:
        autoencoder: the pre-trained one; becomes part of the network and is trained on.
        n_clusters: K.
        config: kind of layers, fusion, heads, mixture.

    Attributes:
        centroids: (n_clusters, n_latent), zeros until they are set.

    Source: scCAGN (BMC Genomics 2025, 26:749), on SDCN (Bo et al. 2020).
    """

    def __init__(self, autoencoder: Autoencoder, n_clusters: int, config: ScCagnConfig) -> None:
        super().__init__()
        layers = [layer for layer in autoencoder.layers if isinstance(layer, nn.Linear)]
        n_latent, n_genes = layers[N_ENCODER - 1].out_features, layers[0].in_features
        widths = [n_genes, layers[0].out_features, layers[1].out_features, n_latent, n_clusters]
        self.autoencoder = autoencoder
        self.graph_layers = nn.ModuleList(LAYERS[config.gnn](n_in, n_out) for n_in, n_out in pairwise(widths))
        self.join = config.join
        self.attention = CrossAttention(n_latent, config.n_heads) if self.join == "ca" else None
        self.widened = _widened(layers[N_ENCODER]) if self.join == "concat" else None
        self.centroids = nn.Parameter(torch.zeros(n_clusters, n_latent))
        self._shares = config.phi * config.alpha, (1 - config.phi) * config.beta
        self._head_relu = bool(config.head_relu)

    def graph_codes(self, x: Tensor, graph: CellGraph) -> list[Tensor]:
        """Return the outputs of the graph layers: three hidden ones and the logits of the head.

        Args:
            x: (n_cells, n_genes). The graph layers never see the autoencoder.
            graph: of the same cells.
        """
        codes = []
        for i, layer in enumerate(self.graph_layers):
            x = layer(x, graph)
            codes.append(torch.relu(x) if i < len(self.graph_layers) - 1 or self._head_relu else x)
            x = codes[-1]
        return codes

    def encode(self, x: Tensor, codes: Sequence[Tensor]) -> Tensor:
        """Return the fused latent (n_cells, n_latent); Z_2 is mixed in twice, there being no other of that width."""
        layers = self.autoencoder.layers
        hidden = torch.relu(layers[0](x))
        hidden = torch.relu(layers[1](self._mix(hidden, codes[0])))
        hidden = torch.relu(layers[2](self._mix(hidden, codes[1])))
        latent: Tensor = layers[3](self._mix(hidden, codes[1]))
        return latent

    def decode(self, latent: Tensor, codes: Sequence[Tensor], reach: Reach, graph: CellGraph) -> Tensor:
        """Return what the output layer sees, (n_cells, first hidden width).

        Args:
            latent: (n_cells, n_latent).
            codes: of :meth:`graph_codes`.
            reach: of the cross attention.
            graph: of the same cells.
        """
        layers = self.autoencoder.layers
        hidden = torch.relu(self._first_decoded(latent, codes[2], reach, graph))
        hidden = torch.relu(layers[5](self._mix(hidden, codes[1])))
        hidden = torch.relu(layers[6](self._mix(hidden, codes[1])))
        return self._mix(hidden, codes[0])

    @property
    def output(self) -> nn.Module:
        """The last layer, from what :meth:`decode` returns to the genes."""
        return self.autoencoder.layers[-1]

    def set_centroids(self, centroids: np.ndarray) -> None:
        """Put the centroids at (n_clusters, n_latent) points."""
        with torch.no_grad():
            self.centroids.copy_(torch.as_tensor(centroids))

    def _first_decoded(self, latent: Tensor, code: Tensor, reach: Reach, graph: CellGraph) -> Tensor:
        """Return the first layer of the decoder before its activation."""
        if self.widened is not None:
            concatenated: Tensor = self.widened(torch.cat([latent, code], dim=1))
            return concatenated
        if self.attention is not None:
            latent = self.attention(latent, code, reach, graph)
        elif self.join == "multiply":
            latent = latent * code
        result: Tensor = self.autoencoder.layers[N_ENCODER](self._mix(latent, code))
        return result

    def _mix(self, from_autoencoder: Tensor, from_graph: Tensor) -> Tensor:
        """Return phi alpha a + (1 - phi) beta g, which is a sum by default."""
        a, g = self._shares
        return from_autoencoder + from_graph if a == g == 1 else a * from_autoencoder + g * from_graph


def _widened(layer: nn.Linear) -> nn.Linear:
    """Return a layer of twice as many inputs that treats the first half as ``layer`` does."""
    wide = nn.Linear(2 * layer.in_features, layer.out_features)
    with torch.no_grad():
        wide.weight[:, : layer.in_features] = layer.weight
        wide.bias.copy_(layer.bias)
    return wide
