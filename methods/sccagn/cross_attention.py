"""Attention from the latent of each cell to the graph codes of all, of some, or of its neighbours."""

from __future__ import annotations

import torch
from scbench_methods.sccagn.config import ScCagnConfig
from scbench_methods.sccagn.gnn import CellGraph
from scbench_methods.sccagn.series_attention import attend_by_series
from torch import Tensor, nn
from torch.nn.functional import linear, pad, scaled_dot_product_attention

__all__ = ["CrossAttention", "Reach", "attend", "choose_reach"]

_LEAST_WIDTH = 8  # of a head, for the kernels of GPUs that keep no scores


class Reach:
    """Which cells each cell attends to.

    Args:
        chosen: (n_chosen,) int64 the same cells for all, or None for all cells.
        is_local: only its neighbours in the graph and itself.
        by_series: all cells, by a series, and the chosen ones only in passes in which the scores are too large for it.

    Attributes:
        passes, by_chosen: how many passes there were, and those that attended to the chosen cells.
    """

    def __init__(self, chosen: Tensor | None = None, *, is_local: bool = False, by_series: bool = False) -> None:
        self.chosen = chosen
        self.is_local = is_local
        self.by_series = by_series
        self.passes = self.by_chosen = 0

    @property
    def name(self) -> str:
        """Return whom a cell attended to, for the run's record."""
        if self.is_local:
            return "graph neighbours"
        others = "all" if self.chosen is None else f"{len(self.chosen)} random cells"
        if self.by_series and self.by_chosen == 0:
            return "exact, by series"
        if self.by_series and self.by_chosen < self.passes:
            return f"exact, by series; {others} in {self.by_chosen} of {self.passes} passes"
        return "exact" if self.chosen is None else others


def choose_reach(config: ScCagnConfig, n_cells: int, generator: torch.Generator, device: torch.device) -> Reach:
    """Return what the configuration and the number of cells allow; random cells are drawn once, without replacement.

    Args:
        config: ``attention``, ``exact_attention_cells`` and ``n_landmarks``.
        n_cells: cells that are learnt from.
        generator: CPU generator of the draw.
        device: where the cells live.
    """
    how = config.attention
    if how == "auto":
        how = "exact" if n_cells <= config.exact_attention_cells else "series"
    if how == "neighbors":
        return Reach(is_local=True)
    if how == "exact" or (how == "landmarks" and config.n_landmarks >= n_cells):
        return Reach()
    chosen = None
    if config.n_landmarks < n_cells:
        chosen = torch.randperm(n_cells, generator=generator)[: config.n_landmarks].to(device)
    return Reach(chosen, by_series=how == "series")


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
        weight, bias = self.parts.in_proj_weight, self.parts.in_proj_bias
        width = queries.shape[1]
        query = linear(queries, weight[:width], bias[:width])

        def seen(others: Tensor) -> tuple[Tensor, Tensor]:
            both = linear(others, weight[width:], bias[width:])
            return both[:, :width], both[:, width:]

        reach.passes += 1
        gathered = None
        if reach.is_local:
            key, value = seen(values)
            gathered = self._local(query, key, value, graph)
        elif reach.by_series:
            found = attend_by_series(*map(self._heads, (query, *seen(values))))
            gathered = None if found is None else _joined(found)
        if gathered is None:
            reach.by_chosen += 1
            others = values if reach.chosen is None else values[reach.chosen]
            least = 1 if query.device.type == "cpu" else _LEAST_WIDTH
            query, key, value = map(self._heads, (query, *seen(others)))
            gathered = _joined(attend(query, key, value, least))
        result: Tensor = self.parts.out_proj(gathered)
        return result

    def _heads(self, part: Tensor) -> Tensor:
        """Return (n_heads, n_cells, width of a head)."""
        heads: Tensor = part.unflatten(1, (self.parts.num_heads, -1)).transpose(0, 1)
        return heads

    def _local(self, query: Tensor, key: Tensor, value: Tensor, graph: CellGraph) -> Tensor:
        """Return the attention along the edges of the graph."""
        edges = graph.edges
        gathered = []
        for q, k, v in zip(*(part.chunk(self.parts.num_heads, dim=1) for part in (query, key, value)), strict=True):
            scores = (q[edges.rows] * k[edges.columns]).sum(dim=1) * q.shape[1] ** -0.5
            gathered.append(edges.weighted_sum(edges.softmax(scores), v))
        return torch.cat(gathered, dim=1)


def _joined(heads: Tensor) -> Tensor:
    """Return the heads side by side, (n_cells, width)."""
    return heads.transpose(0, 1).flatten(1)


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
