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
        return self.encode_further(self.autoencoder.layers[0](x), codes[0], codes[1])

    def encode_further(self, first: Tensor, first_code: Tensor, second_code: Tensor) -> Tensor:
        """Return the fused latent of what the first layer gives, (n_cells, first hidden width), and two codes."""
        layers = self.autoencoder.layers
        hidden = torch.relu(layers[1](self._mix(torch.relu(first), first_code)))
        hidden = torch.relu(layers[2](self._mix(hidden, second_code)))
        latent: Tensor = layers[3](self._mix(hidden, second_code))
        return latent

    @property
    def encoder_parameters(self) -> list[nn.Parameter]:
        """The parameters of :meth:`encode_further`."""
        return list(self.autoencoder.layers[1:N_ENCODER].parameters())

    def decode(self, latent: Tensor, codes: Sequence[Tensor], reach: Reach, graph: CellGraph) -> Tensor:
        """Return what the output layer sees, (n_cells, first hidden width).

        Args:
            latent: (n_cells, n_latent).
            codes: of :meth:`graph_codes`.
            reach: of the cross attention.
            graph: of the same cells.
        """
        return self.decode_further(self.meet(latent, codes[2], reach, graph), *codes[:3])

    def meet(self, latent: Tensor, code: Tensor, reach: Reach, graph: CellGraph) -> Tensor:
        """Return the input of the decoder, (n_cells, n_latent); all that a cell takes from others is in it and codes.

        Args:
            latent, code: (n_cells, n_latent), the latter of the third graph layer.
            reach, graph: see :meth:`decode`.
        """
        if self.attention is not None:
            result: Tensor = self.attention(latent, code, reach, graph)
            return result
        return latent * code if self.join == "multiply" else latent

    def decode_further(self, met: Tensor, first_code: Tensor, second_code: Tensor, third_code: Tensor) -> Tensor:
        """Return what the output layer sees, from what :meth:`meet` gives and three codes."""
        layers = self.autoencoder.layers
        hidden = torch.relu(self._first_decoded(met, third_code))
        hidden = torch.relu(layers[5](self._mix(hidden, second_code)))
        hidden = torch.relu(layers[6](self._mix(hidden, second_code)))
        return self._mix(hidden, first_code)

    @property
    def decoder_parameters(self) -> list[nn.Parameter]:
        """The parameters of :meth:`decode_further` and of the output layer."""
        layers = self.autoencoder.layers
        first = layers[N_ENCODER] if self.widened is None else self.widened
        return [*first.parameters(), *layers[N_ENCODER + 1 :].parameters()]

    @property
    def output(self) -> nn.Module:
        """The last layer, from what :meth:`decode` returns to the genes."""
        return self.autoencoder.layers[-1]

    def set_centroids(self, centroids: np.ndarray) -> None:
        """Put the centroids at (n_clusters, n_latent) points."""
        with torch.no_grad():
            self.centroids.copy_(torch.as_tensor(centroids))

    def _first_decoded(self, met: Tensor, third_code: Tensor) -> Tensor:
        """Return the first layer of the decoder before its activation."""
        if self.widened is not None:
            concatenated: Tensor = self.widened(torch.cat([met, third_code], dim=1))
            return concatenated
        result: Tensor = self.autoencoder.layers[N_ENCODER](self._mix(met, third_code))
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
