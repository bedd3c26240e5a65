"""Noisy views of cells."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["noise_on_some_genes", "unit_interval_noise"]


def noise_on_some_genes(x: Tensor, std: float, fraction: float, generator: torch.Generator) -> Tensor:
    """Return ``x`` with normal noise on a random choice of genes, another choice for each cell.

    Exactly floor(fraction * n_genes) genes of each cell get independent N(0, std^2); the others stay as they are.

    Args:
        x: (n_cells, n_genes) float tensor; not changed.
        std: standard deviation, >= 0.
        fraction: share of genes in [0, 1].
        generator: source of choice and noise. Drawn on its device, so a CPU generator gives the same on every device.

    Returns:
        Same shape, dtype and device as ``x``.

    Raises:
        ValueError: if ``std`` or ``fraction`` is out of range.

    Source: the released program of CICL (arXiv 2312.16600); the paper states neither scale nor share.
    """
    if std < 0:
        raise ValueError(f"std must be at least 0, got {std}")
    if not 0 <= fraction <= 1:
        raise ValueError(f"fraction must be in [0, 1], got {fraction}")
    n_chosen = int(fraction * x.shape[1] + 1e-9)  # 0.8 * 500 may lie a rounding error below 400
    if n_chosen == 0 or std == 0:
        return x.clone()
    noise = torch.randn(x.shape, generator=generator, device=generator.device, dtype=x.dtype)
    noise *= std
    if n_chosen < x.shape[1]:
        lots = torch.rand(x.shape, generator=generator, device=generator.device)
        spared = lots.topk(x.shape[1] - n_chosen, dim=1, sorted=False).indices
        noise.scatter_(1, spared, 0.0)
    return noise.to(x.device).add_(x)


def unit_interval_noise(x: Tensor, generator: torch.Generator) -> Tensor:
    """Return ``x`` with normal noise that is mapped linearly to [0, 1] over the whole matrix before it is added.

    The mapped noise is never negative, so it also lifts every gene by about one half.

    Args:
        x: (n_cells, n_genes) float tensor; not changed.
        generator: source of the noise. Drawn on its device, so a CPU generator gives the same on every device.

    Returns:
        Same shape, dtype and device as ``x``.

    Source: CICL (arXiv 2312.16600), data augmentation: Gaussian noise mapped linearly to [0, 1]. That
    the range is taken over the whole matrix is our reading.
    """
    noise = torch.randn(x.shape, generator=generator, device=generator.device, dtype=x.dtype)
    low, high = noise.aminmax()
    return ((noise - low) / (high - low).clamp(min=torch.finfo(x.dtype).tiny)).to(x.device).add_(x)
