"""What the variants of scCAGN differ in; imports no array library."""

from __future__ import annotations

from dataclasses import dataclass, replace

from scbench.errors import ConfigError
from scbench.names import check_choice

__all__ = ["TRANSFORMS", "VARIANTS", "Settings"]

TRANSFORMS = ("minmax_l2", "ceil_minmax_l2", "zscore_quantile_l2", "zscore")


@dataclass(frozen=True)
class Settings:
    """The settings that follow from ``method.variant`` where a command does not give them; defaults are "default"'s.

    Attributes:
        gene_filter: keep genes found in more than this share of the cells.
        input_transform: of the log-normalised values of the variable genes: range of each gene and unit length of
            each cell ("minmax_l2"); the same after rounding up to whole levels; z-scores, quantiles, unit length;
            z-scores.
        norm: of the adjacency with self loops: "sym" or "row".
        head_relu: whether the logits of the graph network's head pass a ReLU.
        theta: weight of the adversarial term in the main phase.
        adv_loss: "mse" or "bce".
        prior_is_real: whether the discriminator learns to call the prior real, or the encoder's latent.
        live_latent: whether the adversarial term sees the current latent, or the one from before the main phase.
        discriminator_norm: "none" or "batch".
        pretrain_batch: cells in a step of pre-training, at most.
        pretrain_least_steps: a step takes fewer cells, at least one, where pre-training would have fewer steps than
            this: with 50 epochs in sets below 800 cells, which would learn nothing in so few; below 50 cells there
            are fewer steps all the same. 2500 is what 50 epochs of 16 cells are at 800 cells, about the smallest set
            that the choice of 16 was tried on. Fewer ``pretrain_epochs`` mean smaller steps too. 0 for a fixed size.
        restarts: pre-trained autoencoders, of which one is kept.
        centroids_from: "fused", the latent of the first pass, or "autoencoder", without the graph.
    """

    gene_filter: float = 0.01  # paper
    input_transform: str = "minmax_l2"
    norm: str = "sym"  # wording of the paper
    head_relu: bool = False
    theta: float = 1e-4
    adv_loss: str = "mse"  # paper
    prior_is_real: bool = True  # paper
    live_latent: bool = True  # paper
    discriminator_norm: str = "none"
    pretrain_batch: int = 16
    pretrain_least_steps: int = 2500
    restarts: int = 3
    centroids_from: str = "fused"

    def __post_init__(self) -> None:
        """Check choices and ranges."""
        for field, choices in _CHOICES.items():
            check_choice(f"value of method.{field}", getattr(self, field), choices)
        if not 0 <= self.gene_filter < 1:
            raise ConfigError(f"method.gene_filter is a share of cells in [0, 1), got {self.gene_filter}")
        if not 0 <= self.theta < float("inf"):
            raise ConfigError(f"method.theta must be a number of at least 0, got {self.theta}")
        for field in ("pretrain_batch", "restarts"):
            if getattr(self, field) < 1:
                raise ConfigError(f"method.{field} must be at least 1, got {getattr(self, field)}")
        if self.pretrain_least_steps < 0:
            raise ConfigError(f"method.pretrain_least_steps must be at least 0, got {self.pretrain_least_steps}")


_CHOICES = {
    "input_transform": TRANSFORMS,
    "norm": ("sym", "row"),
    "adv_loss": ("mse", "bce"),
    "discriminator_norm": ("none", "batch"),
    "centroids_from": ("fused", "autoencoder"),
}

VARIANTS: dict[str, Settings] = {
    "default": Settings(),
    "paper_code": replace(
        Settings(),
        gene_filter=0.0,
        input_transform="ceil_minmax_l2",
        norm="row",
        head_relu=True,
        theta=0.5,
        adv_loss="bce",
        prior_is_real=False,
        live_latent=False,
        discriminator_norm="batch",
        pretrain_batch=1,
        pretrain_least_steps=0,
        restarts=20,
        centroids_from="autoencoder",
    ),
}
