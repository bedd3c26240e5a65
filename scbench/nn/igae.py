"""Layers of graph autoencoders that keep every layer's output and its propagated copy."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

from scbench.nn.propagate import Propagator

__all__ = ["GraphLayers", "LayerOutput"]


class LayerOutput(NamedTuple):
    """What one graph layer gives.

    Attributes:
        values: (n_cells, width), A @ act(H W).
        propagated: A @ values; None when it was not asked for.
    """

    values: Tensor
    propagated: Tensor | None


class GraphLayers(nn.Module):
    """Graph layers A @ tanh(H W) without bias; Xavier-uniform weights.

    Args:
        sizes: widths from input to output, at least two.
        tanh_last: whether the last layer has its tanh, too.

    Raises:
        ValueError: for too few sizes.

    Source: Tu et al. 2021 (DFCN), the improved graph autoencoder (IGAE).
    """

    def __init__(self, sizes: Sequence[int], *, tanh_last: bool) -> None:
        super().__init__()
        if len(sizes) < 2:
            raise ValueError(f"sizes must name at least input and output width, got {list(sizes)}")
        self.weights = nn.ParameterList(nn.init.xavier_uniform_(torch.empty(a, b)) for a, b in pairwise(sizes))
        self.tanh_last = tanh_last

    def forward(self, x: Tensor, graph: Propagator, *, propagated: bool = False) -> list[LayerOutput]:
        """Return the output of every layer, the last one being the code or the reconstruction.

        Args:
            x: (n_cells, sizes[0]).
            graph: the adjacency.
            propagated: also return A @ output of each layer.
        """
        outputs: list[LayerOutput] = []
        for i, weight in enumerate(self.weights):
            mixed = x @ weight
            if i < len(self.weights) - 1 or self.tanh_last:
                mixed = mixed.tanh()
            outputs.append(LayerOutput(*graph.twice(mixed)) if propagated else LayerOutput(graph.once(mixed), None))
            x = outputs[-1].values
        return outputs
