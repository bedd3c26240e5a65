"""Layers that most methods stack: multi-layer perceptrons and additive noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

__all__ = ["Activation", "GaussianNoise", "mlp"]

Activation = Literal["relu", "leaky_relu", "tanh", "mish", "selu", "identity"]

_ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(0.2, inplace=True),
    "tanh": nn.Tanh,
    "mish": nn.Mish,
    "selu": nn.SELU,
    "identity": nn.Identity,
}


class GaussianNoise(nn.Module):
    """Add normal noise in training mode; do nothing in evaluation mode.

    Args:
        std: standard deviation, >= 0.
        relative: multiply by 1 + std * noise instead of adding std * noise.
        generator: source of the noise; None for torch's global one. Drawn on the generator's device, so a CPU
            generator gives the same noise on every device.

    Raises:
        ValueError: if ``std`` is negative.
    """

    def __init__(self, std: float, relative: bool = False, generator: torch.Generator | None = None) -> None:
        super().__init__()
        if std < 0:
            raise ValueError(f"std must be at least 0, got {std}")
        self.std = std
        self.relative = relative
        self._generator = generator

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` with noise, same shape."""
        if not self.training or self.std == 0:
            return x
        source = self._generator
        device = x.device if source is None else source.device
        noise = torch.randn(x.shape, generator=source, dtype=x.dtype, device=device).to(x.device)
        return x * (1 + self.std * noise) if self.relative else x + self.std * noise


def mlp(
    sizes: Sequence[int],
    act: Activation = "relu",
    *,
    norm: Literal["batch", "layer"] | None = None,
    dropout: float = 0.0,
    act_last: bool = False,
    noise_std: float = 0.0,
    generator: torch.Generator | None = None,
) -> nn.Sequential:
    """Return linear layers, each followed by norm, activation and dropout; the last one bare unless ``act_last``.

    Args:
        sizes: widths from input to output, at least two.
        act: activation; "leaky_relu" has slope 0.2.
        norm: batch or layer normalisation before the activation.
        dropout: rate in [0, 1) after the activation.
        act_last: treat the last layer like the others.
        noise_std: additive noise on the input and before each further linear layer.
        generator: of the noise. Initial weights and dropout come from torch's own layers, which draw from the
            process-wide generator; a run's process seeds that one with the run's seed.

    Raises:
        ValueError: for too few sizes, or an unknown activation or norm.
    """
    if len(sizes) < 2:
        raise ValueError(f"sizes must name at least input and output width, got {list(sizes)}")
    if act not in _ACTIVATIONS:
        raise ValueError(f"act must be one of {', '.join(_ACTIVATIONS)}, got {act!r}")
    if norm not in (None, "batch", "layer"):
        raise ValueError(f"norm must be 'batch', 'layer' or None, got {norm!r}")
    layers: list[nn.Module] = []
    for i, (n_in, n_out) in enumerate(pairwise(sizes)):
        if noise_std > 0:
            layers.append(GaussianNoise(noise_std, generator=generator))
        layers.append(nn.Linear(n_in, n_out))
        if i == len(sizes) - 2 and not act_last:
            break
        if norm is not None:
            layers.append(nn.BatchNorm1d(n_out) if norm == "batch" else nn.LayerNorm(n_out))
        if act != "identity":
            layers.append(_ACTIVATIONS[act]())
        if dropout > 0:
            layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers)
