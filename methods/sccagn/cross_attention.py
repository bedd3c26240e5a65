"""Attention from the latent of each cell to the graph codes of all, of some, or of its neighbours."""

from __future__ import annotations

import torch
from scbench_methods.sccagn.config import ScCagnConfig
from scbench_methods.sccagn.gnn import CellGraph
from torch import Tensor, nn
from torch.nn.functional import linear, pad, scaled_dot_product_attention

__all__ = ["CrossAttention", "Reach", "attend", "choose_reach"]

_LEAST_WIDTH = 8  # of a head, for the kernels of GPUs that keep no scores


class Reach:
    """Which cells each cell attends to.

    Args:
        name: for the run's record.
        chosen: (n_chosen,) int64 the same cells for all, or None.
        is_local: only its neighbours in the graph and itself.
    """

    def __init__(self, name: str = "exact", chosen: Tensor | None = None, *, is_local: bool = False) -> None:
        self.name = name
        self.chosen = chosen
        self.is_local = is_local


def choose_reach(config: ScCagnConfig, n_cells: int, generator: torch.Generator, device: torch.device) -> Reach:
    """Return what the configuration and the number of cells allow; random cells are drawn once.

    Args:
        config: ``attention``, ``exact_attention_cells`` and ``n_landmarks``.
        n_cells: cells that are learnt from.
        generator: CPU generator of the draw.
        device: where the cells live.
    """
    how = config.attention
    if how == "auto":
        how = "exact" if n_cells <= config.exact_attention_cells else "landmarks"
    if how == "neighbors":
        return Reach("graph neighbours", is_local=True)
    if how == "landmarks" and config.n_landmarks < n_cells:
        chosen = torch.randperm(n_cells, generator=generator)[: config.n_landmarks]
        return Reach(f"{config.n_landmarks} random cells", chosen.to(device))
    return Reach()


class CrossAttention(nn.Module):
    """Multi-head attention in which the cells are the sequence; no array of the size cells x cells is kept.

    Args:
        width: of queries, keys, values and result.
        n_heads: a divisor of ``width``.

    Raises:
        ValueError: if ``n_heads`` does not divide ``width``.

    Source: Vaswani et al. 2017. Parameters and their initialisation are those of ``torch.nn.MultiheadAttention``.
    """

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        if n_heads < 1 or width % n_heads:
            raise ValueError(f"width must be a multiple of n_heads, got {width} and {n_heads}")
        self.parts = nn.MultiheadAttention(width, n_heads, batch_first=True)

    def forward(self, queries: Tensor, values: Tensor, reach: Reach, graph: CellGraph) -> Tensor:
        """Return what each cell gathers, (n_cells, width).

        Args:
            queries: (n_cells, width).
            values: (n_cells, width), keys and values.
            reach: whom each cell attends to.
            graph: for a local reach.
        """
        others = values if reach.chosen is None else values[reach.chosen]
        weight, bias = self.parts.in_proj_weight, self.parts.in_proj_bias
        width = queries.shape[1]
        query = linear(queries, weight[:width], bias[:width])
        key, value = linear(others, weight[width:], bias[width:]).split(width, dim=1)
        gathered = self._local(query, key, value, graph) if reach.is_local else self._dense(query, key, value)
        result: Tensor = self.parts.out_proj(gathered)
        return result

    def _dense(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Return the attention to all rows of ``key``."""
        heads = [part.unflatten(1, (self.parts.num_heads, -1)).transpose(0, 1) for part in (query, key, value)]
        least = 1 if query.device.type == "cpu" else _LEAST_WIDTH
        return attend(heads[0], heads[1], heads[2], least).transpose(0, 1).flatten(1)

    def _local(self, query: Tensor, key: Tensor, value: Tensor, graph: CellGraph) -> Tensor:
        """Return the attention along the edges of the graph."""
        edges = graph.edges
        gathered = []
        for q, k, v in zip(*(part.chunk(self.parts.num_heads, dim=1) for part in (query, key, value)), strict=True):
            scores = (q[edges.rows] * k[edges.columns]).sum(dim=1) * q.shape[1] ** -0.5
            gathered.append(edges.weighted_sum(edges.softmax(scores), v))
        return torch.cat(gathered, dim=1)


def attend(query: Tensor, key: Tensor, value: Tensor, least_width: int = 1) -> Tensor:
    """Return softmax(Q K^T / sqrt(width)) V; the kernel goes through blocks, also for the gradient.

    Args:
        query: (n_heads, n_cells, width).
        key, value: (n_heads, n_others, width).
        least_width: pad narrower heads with zeros up to this, which changes no score.

    Returns:
        Same shape as ``query``.
    """
    width = query.shape[-1]
    parts = [pad(part, (0, max(0, least_width - width)))[None] for part in (query, key, value)]
    return scaled_dot_product_attention(parts[0], parts[1], parts[2], scale=width**-0.5)[0, ..., :width]
