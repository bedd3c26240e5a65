"""Layers of graph autoencoders: several views at once, forward and backward by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from scbench.nn.propagate import Propagator

__all__ = ["GraphLayers", "GraphPass", "Regulariser", "mean_over_views"]

# Takes A H and H, both (n_cells, width); returns a scalar and its slopes along both.
Regulariser = Callable[[Tensor, Tensor], tuple[Tensor, tuple[Tensor, Tensor]]]
_backward_of_tanh = torch.ops.aten.tanh_backward


class GraphPass(NamedTuple):
    """What a pass gives.

    Attributes:
        codes: (n_cells, width) of the last layer, one for each view.
        propagated: A @ code of each view; empty without a regulariser.
        regularised: the regulariser summed over all layers but the last one; None without one.
    """

    codes: list[Tensor]
    propagated: list[Tensor]
    regularised: Tensor | None


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

    def forward(
        self,
        views: Sequence[tuple[Tensor, Propagator]],
        regulariser: Regulariser | None = None,
        *,
        rows_kept: int | None = None,
        product_type: torch.dtype = torch.float32,
    ) -> GraphPass:
        """Return the codes of all views, and the regulariser of the layers before the last one.

        The views go through a layer together, so that propagated copies exist for one layer at a time; the slopes of
        the regulariser are computed beside its value and shared by the views. Kept for the backward pass are each
        layer's input and, up to ``rows_kept`` cells, its activation; beyond, that is computed again.

        Args:
            views: input (n_cells, sizes[0]) and adjacency of each; one or two.
            regulariser: of A H and H, each the mean over the views.
            rows_kept: None for any number.
            product_type: of products with the weights; their results are of the inputs' type.
        """
        inputs, graphs = [x for x, _ in views], [graph for _, graph in views]
        plan = _Plan(graphs, self.tanh_last, regulariser, rows_kept, product_type)
        found = list(_Pass.apply(plan, *inputs, *self.weights))  # type: ignore[no-untyped-call]
        if regulariser is None:
            return GraphPass(found, [], None)
        return GraphPass(found[: len(views)], found[len(views) : -1], found[-1])


def mean_over_views(parts: Sequence[Tensor]) -> Tensor:
    """Return the mean of one or two tensors of one shape."""
    return parts[0] if len(parts) == 1 else (parts[0] + parts[1]).mul_(0.5)


class _Plan(NamedTuple):
    """What does not change between two passes."""

    graphs: list[Propagator]
    tanh_last: bool
    regulariser: Regulariser | None
    rows_kept: int | None
    product_type: torch.dtype

    def activation(self, x: Tensor, weight: Tensor, *, is_bare: bool) -> Tensor:
        """Return act(x W)."""
        mixed = _product(x, weight, self.product_type)
        return mixed if is_bare else mixed.tanh_()


class _Pass(torch.autograd.Function):
    """All layers of all views as one node."""

    @staticmethod
    def forward(ctx: Any, plan: _Plan, *tensors: Tensor) -> tuple[Tensor, ...]:
        n_views = len(plan.graphs)
        current, weights = list(tensors[:n_views]), tensors[n_views:]
        inputs: list[Tensor] = []
        active: list[Tensor] = []
        slopes: list[Tensor] = []
        copies: list[Tensor] = []
        total = current[0].new_zeros(())
        for i, weight in enumerate(weights):
            is_last = i == len(weights) - 1
            inputs.extend(current)
            copies = []
            for view, graph in enumerate(plan.graphs):
                mixed = plan.activation(current[view], weight, is_bare=is_last and not plan.tanh_last)
                if plan.rows_kept is None or len(mixed) <= plan.rows_kept:
                    active.append(mixed)
                if plan.regulariser is None:
                    current[view] = graph.once(mixed)
                else:
                    current[view], copy = graph.twice(mixed)
                    copies.append(copy)
                del mixed
            if plan.regulariser is not None and not is_last:
                value, found = plan.regulariser(mean_over_views(copies), mean_over_views(current))
                total = total + value
                slopes.extend(found)
        ctx.plan, ctx.n_layers = plan, len(weights)
        ctx.save_for_backward(*weights, *inputs, *slopes, *active)
        return (*current, *copies, total) if plan.regulariser is not None else tuple(current)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        plan: _Plan = ctx.plan
        n_views, n_layers = len(plan.graphs), ctx.n_layers
        saved = list(ctx.saved_tensors)
        weights = [saved.pop(0) for _ in range(n_layers)]
        inputs = [[saved.pop(0) for _ in range(n_views)] for _ in range(n_layers)]
        n_slopes = 2 * (n_layers - 1) if plan.regulariser is not None else 0
        slopes = [saved.pop(0) for _ in range(n_slopes)]
        active = saved
        scale = gradients[-1] / n_views if n_slopes else None
        totals: list[Tensor | None] = [None] * n_layers
        of_inputs: list[Tensor | None] = []
        for view, graph in enumerate(plan.graphs):  # one after the other: slopes of one view at a time
            along = gradients[view]
            for i in reversed(range(n_layers)):
                copy = gradients[n_views + view] if n_slopes and i == n_layers - 1 else None
                if scale is not None and i < n_layers - 1:
                    copy = slopes[2 * i] * scale
                    along = (slopes[2 * i + 1] * scale).add_(along)
                slope = graph.slopes(along, copy)
                del along, copy
                x = inputs[i][view]
                if i < n_layers - 1 or plan.tanh_last:
                    mixed = active[i * n_views + view] if active else plan.activation(x, weights[i], is_bare=False)
                    slope = _backward_of_tanh.grad_input(slope, mixed, grad_input=slope)
                    del mixed
                found = _product(x.T, slope, plan.product_type)
                total = totals[i]
                totals[i] = found if total is None else total.add_(found)
                if i or ctx.needs_input_grad[1 + view]:
                    along = _product(slope, weights[i].T, plan.product_type)
                del slope
            of_inputs.append(along if ctx.needs_input_grad[1 + view] else None)
        return None, *of_inputs, *totals


def _product(a: Tensor, b: Tensor, product_type: torch.dtype) -> Tensor:
    """Return a @ b in the type of ``a``, computed in a narrower one when that is asked for."""
    return (a.to(product_type) @ b.to(product_type)).to(a.dtype) if product_type == torch.bfloat16 else a @ b
