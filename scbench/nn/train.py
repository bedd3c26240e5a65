"""The loop over epochs and batches, label-change stop, and prediction in batches."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from scbench.method import Diverged

__all__ = ["LabelChangeStop", "batches", "predict_batches", "run_epochs"]

Step = Callable[[Tensor], Mapping[str, Tensor]]
OnEpoch = Callable[[int, dict[str, float]], bool | None]


def batches(
    n_items: int,
    batch_size: int | None,
    generator: torch.Generator,
    *,
    shuffle: bool = True,
    min_batch: int = 2,
) -> Iterator[Tensor]:
    """Yield int64 index vectors on the CPU that together hold each of ``n_items`` once.

    Args:
        n_items: at least 1.
        batch_size: None for one batch of all.
        generator: CPU generator of the order.
        shuffle: draw a new order; otherwise 0, 1, ...
        min_batch: a last batch smaller than this joins the one before it (batch normalisation needs two cells).

    Raises:
        ValueError: if ``n_items`` or ``batch_size`` is below 1.
    """
    if n_items < 1:
        raise ValueError(f"n_items must be at least 1, got {n_items}")
    if batch_size is not None and batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, or None for all, got {batch_size}")
    order = torch.randperm(n_items, generator=generator) if shuffle else torch.arange(n_items)
    pieces = list(torch.split(order, batch_size or n_items))
    if len(pieces) > 1 and len(pieces[-1]) < min_batch:
        last = pieces.pop()
        pieces[-1] = torch.cat([pieces[-1], last])
    yield from pieces


def run_epochs(
    step: Step,
    n_items: int,
    batch_size: int | None,
    epochs: int,
    generator: torch.Generator,
    *,
    shuffle: bool = True,
    min_batch: int = 2,
    on_epoch: OnEpoch | None = None,
    first_epoch: int = 0,
) -> list[dict[str, float]]:
    """Call ``step`` on every batch of every epoch and return the mean of each loss term by epoch.

    Args:
        step: takes the indices of a batch, updates the model, and returns its scalar loss terms by name (any
            device, with or without a graph). The names must be the same at each call.
        n_items, batch_size, generator, shuffle, min_batch: as in :func:`batches`.
        epochs: most epochs, at least 0.
        on_epoch: called after each epoch with its number and mean terms; a true result stops the loop.
        first_epoch: number of the first epoch, for a second phase.

    Returns:
        One dict for each epoch run; means are weighted by batch size.

    Raises:
        Diverged: after an epoch in which a term was NaN or infinite. Terms are read once per epoch, so a GPU is not
            made to wait after each batch.
        ValueError: as :func:`batches`.
    """
    history: list[dict[str, float]] = []
    for epoch in range(first_epoch, first_epoch + epochs):
        sums: dict[str, Tensor] = {}
        for indices in batches(n_items, batch_size, generator, shuffle=shuffle, min_batch=min_batch):
            for name, value in step(indices).items():
                weighted = value.detach() * len(indices)
                sums[name] = sums[name] + weighted if name in sums else weighted
        terms = {name: float(value) / n_items for name, value in sums.items()}
        if not all(math.isfinite(value) for value in terms.values()):
            raise Diverged(epoch, terms)
        history.append(terms)
        if on_epoch is not None and on_epoch(epoch, terms):
            break
    return history


class LabelChangeStop:
    """Tell when labels have settled: at most ``tol`` of them changed, ``patience`` times in a row.

    Args:
        tol: fraction of cells in [0, 1].
        patience: at least 1.

    Raises:
        ValueError: if an argument is out of range.
    """

    def __init__(self, tol: float, patience: int = 1) -> None:
        if not 0 <= tol <= 1:
            raise ValueError(f"tol must be in [0, 1], got {tol}")
        if patience < 1:
            raise ValueError(f"patience must be at least 1, got {patience}")
        self.tol = tol
        self.patience = patience
        self.changed: float | None = None  # fraction at the last update; None before the second
        self._previous: Tensor | None = None
        self._settled = 0

    def update(self, labels: Tensor) -> bool:
        """Take the labels of all cells, (n_cells,) integers in a fixed order; return whether to stop."""
        previous, self._previous = self._previous, labels.detach().clone()
        if previous is None:
            return False
        self.changed = float((labels != previous).double().mean())
        self._settled = self._settled + 1 if self.changed <= self.tol else 0
        return self._settled >= self.patience


def predict_batches(
    model: nn.Module, x: Tensor, *, batch_size: int = 1024, call: Callable[[Tensor], Tensor] | None = None
) -> Tensor:
    """Return the model's output for every row of ``x``, in order, in evaluation mode and without gradients.

    Args:
        model: its modules go back to the modes they had, also after an error.
        x: (n_items, ...) on the model's device.
        batch_size: rows at once, at least 1.
        call: what to evaluate instead of ``model`` itself, for example ``model.encode``.

    Raises:
        ValueError: if ``batch_size`` is below 1.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    evaluate = model if call is None else call
    with _evaluation_mode(model), torch.no_grad():
        return torch.cat([evaluate(piece) for piece in torch.split(x, batch_size)])


@contextmanager
def _evaluation_mode(model: nn.Module) -> Iterator[None]:
    """Switch to evaluation mode, then give each module its own mode back."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
