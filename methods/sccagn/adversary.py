"""The discriminator between latents and draws from N(0, I), and the losses of both sides."""

from __future__ import annotations

import torch
from scbench_methods.sccagn.config import ScCagnConfig
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from scbench.nn.optimisers import Adam

__all__ = ["Discriminator", "Game"]

_SLOPE = 0.2
_WIDTH = 64


class Discriminator(nn.Module):
    """Linear d-64, LeakyReLU, 64-64, LeakyReLU, 64-1; a batch norm after each LeakyReLU when asked for.

    Args:
        n_latent: d.
        norm: "none" or "batch".
        width: of the hidden layers.
    """

    def __init__(self, n_latent: int, norm: str = "none", width: int = _WIDTH) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for n_in in (n_latent, width):
            layers += [nn.Linear(n_in, width), nn.LeakyReLU(_SLOPE)]
            layers += [nn.BatchNorm1d(width)] if norm == "batch" else []
        self.layers = nn.Sequential(*layers, nn.Linear(width, 1))

    def forward(self, latent: Tensor) -> Tensor:
        """Return the logit that a latent is real, (n_cells,)."""
        logits: Tensor = self.layers(latent)
        return logits[:, 0]


class Game:
    """A discriminator in training and what it asks of the encoder.

    Args:
        config: loss, roles, norm, step size.
        n_latent: width of the latent.
        device: where the latent lives.
        generator: CPU generator of the prior's draws.
    """

    def __init__(
        self, config: ScCagnConfig, n_latent: int, device: torch.device | str, generator: torch.Generator
    ) -> None:
        self.discriminator = Discriminator(n_latent, config.discriminator_norm).to(device)
        self._loss = config.adv_loss
        self._prior_is_real = config.prior_is_real
        self._optimiser = Adam(self.discriminator.parameters(), config.discriminator_lr, fused=False)
        self._generator = generator

    def teach(self, latent: Tensor) -> Tensor:
        """Take one step of the discriminator on latents without gradient and as many new draws; return its loss."""
        prior = torch.randn(latent.shape, generator=self._generator, dtype=latent.dtype).to(latent.device)
        loss = self.discriminator_loss(latent.detach(), prior)
        self._optimiser.zero_grad()
        loss.backward()
        self._optimiser.step()
        return loss.detach()

    def discriminator_loss(self, latent: Tensor, prior: Tensor) -> Tensor:
        """Return the mean of the errors on latents and on draws; each is a batch of its own."""
        on_latent = self._error(self.discriminator(latent), is_real=not self._prior_is_real)
        on_prior = self._error(self.discriminator(prior), is_real=self._prior_is_real)
        return 0.5 * (on_latent + on_prior)

    def encoder_loss(self, latent: Tensor) -> Tensor:
        """Return how far the discriminator is from calling the latents real; its own weights get no gradient."""
        self.discriminator.requires_grad_(False)
        try:
            return self._error(self.discriminator(latent), is_real=True)
        finally:
            self.discriminator.requires_grad_(True)

    def _error(self, logits: Tensor, *, is_real: bool) -> Tensor:
        """Return the mean squared error, or the cross entropy, of the probability of being real."""
        wanted = torch.full_like(logits, float(is_real))
        if self._loss == "bce":
            return binary_cross_entropy_with_logits(logits, wanted)
        return (logits.sigmoid() - wanted).square().mean()
