"""The two contrastive losses of CICL from one similarity matrix that is never held as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from scbench_methods.cicl.sending import send
from scbench_methods.cicl.workspace import Workspace
from torch import Tensor

__all__ = ["Contrast", "LossForm", "contrast"]

# Entries of the similarity matrix at a time. On the CPU a block below 32 MiB comes from memory that glibc already
# holds, not as fresh pages in each step; elsewhere few large products keep the device busy.
_ENTRIES_AT_ONCE = 6_000_000
_ENTRIES_AT_ONCE_ON_DEVICE = 64_000_000


@dataclass(frozen=True)
class LossForm:
    """Which losses to compute; the fields are those of the configuration.

    Attributes:
        tau: temperature, > 0.
        cluster_weight: lambda, >= 0.
        instance_loss: "both_views" or "cross_view".
        cluster_positive: "logsumexp", "mean_log" or "own_pair".
        cluster_reduction: "mean" or "sum_of_cluster_means".
    """

    tau: float
    cluster_weight: float
    instance_loss: str
    cluster_positive: str
    cluster_reduction: str


class Contrast(NamedTuple):
    """Scalars: ``total`` = instance + lambda * cluster carries the gradient, the two terms are detached."""

    total: Tensor
    instance: Tensor
    cluster: Tensor


def contrast(
    projected: Tensor,
    labels: Tensor,
    form: LossForm,
    entries_at_once: int | None = None,
    workspace: Workspace | None = None,
) -> Contrast:
    """Return instance loss, cluster-aware loss and their weighted sum.

    With s = inner product / tau, B cells, 2 B rows, p(i) the other view of row i's cell and y pseudo-labels:

    - instance, "both_views": mean over rows of log sum_{k != i} e^s(i,k) - s(i,p(i)) (NT-Xent); "cross_view": only
      rows of view 1, only columns of view 2 (the cell's own one included).
    - cluster, "logsumexp": mean over rows of log sum_{k != i} e^s(i,k) - log sum_{k != i, y_k = y_i} e^s(i,k);
      "mean_log": the second term is the mean of s(i,k) over the same k; "own_pair": the only positive is p(i), and
      other cells of the same cluster are left out: log(e^s(i,p(i)) + sum_{y_k != y_i} e^s(i,k)) - s(i,p(i)).
    - "sum_of_cluster_means" averages the cluster terms within each pseudo-label and sums over labels present.

    When all labels are equal the cluster-aware loss is 0 with zero gradient ("logsumexp", "own_pair").

    Args:
        projected: (2 B, n_features): B rows of view 1, then the same cells of view 2; unit rows for cosines.
        labels: (B,) int64 pseudo-labels, >= 0; no gradient flows through them. On the host, if they are there anyway:
            the slices of clusters are made there, and a GPU would be waited for.
        form: temperature, weight and forms.
        entries_at_once: most entries of the similarity matrix in memory at a time, one row at least; None for what
            suits the device.
        workspace: memory of earlier calls, for the rows of the similarity matrix on the CPU.

    Returns:
        Scalars in float32 or better, also when ``projected`` is in half precision.

    Raises:
        ValueError: if ``projected`` does not hold two rows for each label.

    Source: CICL (arXiv 2312.16600), eq. 12 to 17; the forms "cross_view", "own_pair" and "sum_of_cluster_means" are
    those of the released program. Logarithm and sum of the positives: the formula of the paper reads either way, see
    the README.
    """
    if projected.shape[0] != 2 * len(labels):
        raise ValueError(f"{len(labels)} labels need {2 * len(labels)} rows, two views each; got {len(projected)}")
    if entries_at_once is None:
        entries_at_once = _ENTRIES_AT_ONCE if projected.device.type == "cpu" else _ENTRIES_AT_ONCE_ON_DEVICE
    apply: Callable[..., tuple[Tensor, Tensor, Tensor]] = _Contrast.apply
    return Contrast(*apply(projected, labels, form, entries_at_once, workspace or Workspace()))


class _Contrast(torch.autograd.Function):
    """Compute the gradient along with the losses, so that no row of the similarity matrix outlives its chunk.

    Rows are sorted by label first: the columns with a row's label are then one slice, and no mask is as large as the
    chunk.
    """

    @staticmethod
    def forward(
        ctx: Any, projected: Tensor, labels: Tensor, form: LossForm, entries_at_once: int, workspace: Workspace
    ) -> tuple[Tensor, Tensor, Tensor]:
        device, n = projected.device.type, len(projected)
        exact = torch.promote_types(projected.dtype, torch.float32)
        used = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else projected.dtype
        layout = _Layout(labels.cpu(), form, exact, projected.device)
        with torch.autocast(device, enabled=False):
            z = projected[layout.order].to(exact)
            z, scaled = z.to(used), (z / form.tau).to(used)
            gradient = torch.zeros(z.shape, dtype=exact, device=z.device)
            instance, cluster = gradient.new_zeros(()), gradient.new_zeros(())
            n_rows = max(1, entries_at_once // n)
            for start in range(0, n, n_rows):
                rows = slice(start, min(start + n_rows, n))
                logits = _product(scaled[rows], z.T, workspace).to(exact)
                terms = _row_terms(logits, rows, layout, form, workspace)
                instance += terms.instance
                cluster += terms.cluster
                slope = terms.slope.to(used)
                _add_product(gradient[rows], slope, scaled)
                _add_product(gradient, slope.T, scaled[rows])
        ctx.save_for_backward(torch.empty_like(gradient).index_copy_(0, layout.order, gradient))
        ctx.dtype = projected.dtype
        ctx.mark_non_differentiable(instance, cluster)
        return instance + form.cluster_weight * cluster, instance, cluster

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return (gradient * gradients[0]).to(ctx.dtype), None, None, None, None


def _product(left: Tensor, right: Tensor, workspace: Workspace) -> Tensor:
    """Return ``left @ right``, on the CPU in memory of the workspace."""
    if left.device.type != "cpu":
        return left @ right
    return torch.mm(left, right, out=workspace.take("logits", (len(left), right.shape[1]), left.dtype))


def _add_product(target: Tensor, left: Tensor, right: Tensor) -> None:
    """Add ``left @ right`` to ``target``."""
    if target.dtype == left.dtype:
        target.addmm_(left, right)
    else:
        target += left @ right


class _Layout:
    """Order of the rows by label, and what is to know of the row at each place.

    Attributes:
        order: (2 B,) row of ``projected`` at each place.
        own: (2 B, 1) place of the other view of the same cell.
        is_view_1: (2 B, 1) bool.
        share: (2 B, 1) weight of the row's cluster term before lambda.
        bounds: first and last place + 1 of each label.
    """

    def __init__(self, labels: Tensor, form: LossForm, dtype: torch.dtype, device: torch.device) -> None:
        n = 2 * len(labels)
        both = labels.repeat(2)
        order = both.argsort(stable=True)
        counts = torch.bincount(both)
        sizes = counts[both[order]][:, None].to(dtype)
        share = torch.full_like(sizes, 1 / n) if form.cluster_reduction == "mean" else 1 / sizes
        stops = counts.cumsum(0).tolist()
        self.bounds = [(start, stop) for start, stop in zip([0, *stops], stops, strict=False) if start < stop]
        self.order, self.share = send(order, device), send(share, device)
        places = torch.empty_like(self.order)
        places[self.order] = torch.arange(n, device=device)
        self.own = places[(self.order + len(labels)) % n][:, None]
        self.is_view_1 = (self.order < len(labels))[:, None]

    def same_label(self, rows: slice) -> Iterator[tuple[slice, slice]]:
        """Yield, for each label among ``rows``, its rows (counted from the first of ``rows``) and its columns."""
        for start, stop in self.bounds:
            first, last = max(start, rows.start), min(stop, rows.stop)
            if first < last:
                yield slice(first - rows.start, last - rows.start), slice(start, stop)


class _Terms(NamedTuple):
    """What some rows add to the losses, and the slope of their share of the total with respect to the logits."""

    instance: Tensor
    cluster: Tensor
    slope: Tensor


def _row_terms(logits: Tensor, rows: slice, layout: _Layout, form: LossForm, workspace: Workspace) -> _Terms:
    """Return the terms of some rows of the similarity matrix over temperature, (n_rows, 2 B); ``logits`` is changed."""
    n = logits.shape[1]
    own, share = layout.own[rows], layout.share[rows]
    weight = form.cluster_weight * share
    is_nt_xent, is_own_pair = form.instance_loss == "both_views", form.cluster_positive == "own_pair"
    logits.diagonal(rows.start).fill_(-torch.inf)
    among_all, slope = _pull(logits, own, is_nt_xent / n + weight * (not is_own_pair), workspace)

    if is_nt_xent:
        instance = among_all.sum() / n
    else:
        is_view_1 = layout.is_view_1[rows]
        view_1 = is_view_1.to(logits.dtype)
        view_2 = torch.where(is_view_1 & layout.is_view_1.T, -torch.inf, logits)  # rows of view 2 stay, without weight
        across, pull = _pull(view_2, own, view_1 * (2 / n))
        instance = (across * view_1).sum() * (2 / n)
        slope += pull

    if is_own_pair:
        own_logits = logits.gather(1, own)
        for block in layout.same_label(rows):
            logits[block] = -torch.inf
        cluster, pull = _pull(logits.scatter_(1, own, own_logits), own, weight)
        slope += pull
    elif form.cluster_positive == "logsumexp":
        cluster = among_all
        for here, columns in layout.same_label(rows):
            among_same, pull = _pull(logits[here, columns], own[here] - columns.start, weight[here])
            cluster[here] -= among_same
            slope[here, columns] -= pull
    else:
        cluster = among_all + logits.gather(1, own)
        logits.diagonal(rows.start).zero_()  # leaves the cell itself out of the sums of its positives
        for here, columns in layout.same_label(rows):
            n_positive = columns.stop - columns.start - 1
            cluster[here] -= logits[here, columns].sum(dim=1, keepdim=True) / n_positive
            slope[here, columns] -= weight[here] / n_positive
        slope.scatter_add_(1, own, weight)  # the own pair is one of the positives, not the only one
        slope.diagonal(rows.start).zero_()
    return _Terms(instance, (cluster * share).sum(), slope)


def _pull(logits: Tensor, own: Tensor, weight: Tensor, workspace: Workspace | None = None) -> tuple[Tensor, Tensor]:
    """Return the cross-entropy of each row's own pair, (n_rows, 1), and the slope of its weighted sum.

    Args:
        logits: (n_rows, n) with -inf where a row does not look; finite at the own pair.
        own: (n_rows, 1) column of the own pair.
        weight: (n_rows, 1).
        workspace: what the slope may lie in on the CPU.
    """
    if workspace is None or logits.device.type != "cpu":
        log_shares = logits.log_softmax(dim=1)
    else:
        log_shares = workspace.take("slope", tuple(logits.shape), logits.dtype)
        torch.ops.aten._log_softmax.out(logits, 1, False, out=log_shares)
    loss = -log_shares.gather(1, own)
    slope = log_shares.exp_().mul_(weight)
    return loss, slope.scatter_add_(1, own, -weight)
