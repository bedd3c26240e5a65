"""Saliency of genes, and the genes that a mini-batch does not see."""

from __future__ import annotations

import torch
from scbench_methods.scsamac.config import MaskConfig
from torch import Tensor

__all__ = ["masking_probabilities", "saliency_classes"]


def saliency_classes(sums: Tensor, moderate_from: float, salient_from: float) -> Tensor:
    """Return 0 (not salient), 1 (moderately) or 2 (salient) for each gene.

    Args:
        sums: (n_genes,), of each gene over cells.
        moderate_from, salient_from: least ratio to the largest sum.

    Returns:
        (n_genes,) int64; all 0 when the largest sum is not positive, where ratios mean nothing.

    Source: scSAMAC (Li et al. 2025), saliency-adjusted masking. With a largest sum below 0 the released program's
    ratios turn round; ours do not.
    """
    largest = sums.max()
    at_least = largest * torch.tensor([moderate_from, salient_from], dtype=sums.dtype, device=sums.device)
    classes = (sums[:, None] >= at_least).sum(dim=1)
    return torch.where(largest > 0, classes, torch.zeros_like(classes))


def masking_probabilities(sums: Tensor, mask: MaskConfig) -> Tensor:
    """Return the probability that each gene is masked, (n_genes,) in the type of ``sums``."""
    classes = saliency_classes(sums, mask.moderate_from, mask.salient_from)
    table = torch.tensor([mask.p_other, mask.p_moderate, mask.p_salient], dtype=sums.dtype, device=sums.device)
    return table[classes]
