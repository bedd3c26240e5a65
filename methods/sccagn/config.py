"""Configuration of scCAGN."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import ClassVar

from scbench_methods.sccagn.variants import VARIANTS, Settings

from scbench.errors import ConfigError
from scbench.method import MethodConfig
from scbench.names import check_choice

__all__ = ["LATENT_WIDTH", "GraphConfig", "ScCagnConfig"]

LATENT_WIDTH = 8

_CHOICES = {
    "gene_selection": ("seurat_hvg", "std"),
    "gnn": ("gcn", "gat", "sage"),
    "fusion": ("ca", "none", "concat", "multiply"),
    "attention": ("auto", "exact", "landmarks", "neighbors"),
}
_AT_LEAST_ONE = ("n_genes", "n_init", "exact_neighbour_cells", "n_components", "exact_attention_cells", "n_landmarks")
_NOT_NEGATIVE = ("heads", "phi", "alpha", "beta", "eps_q", "eps_r", "mu", "theta_pre", "pretrain_epochs", "epochs")
_POSITIVE = ("tau", "lr", "discriminator_lr")


@dataclass(frozen=True)
class GraphConfig:
    """The graph of cells.

    Attributes:
        k: nearest other cells of each cell, by Euclidean distance.
        prune: leave out neighbours farther than the mean plus the standard deviation of the cell's k distances.
    """

    k: int = 10  # paper
    prune: bool = True  # released program

    def __post_init__(self) -> None:
        """Check the range."""
        if self.k < 1:
            raise ConfigError(f"method.graph.k must be at least 1, got {self.k}")


@dataclass(frozen=True)
class ScCagnConfig(MethodConfig):
    """Settings of scCAGN. The last block follows from ``variant`` where it is None; see :class:`variants.Settings`.

    Attributes:
        n_genes: variable genes.
        gene_selection: "seurat_hvg", or "std", the largest standard deviations of the log-normalised values.
        filter_cells: do not learn from cells that show at most 1 % of the genes; they get the nearest cluster.
        graph: the graph of cells.
        gnn: layers on it: "gcn", "gat" or "sage".
        fusion: how the latent meets the graph in the decoder: cross attention, not at all ("none"), "concat" or
            "multiply".
        heads: of the cross attention, a divisor of 8; 0 is ``fusion=none``.
        phi, alpha, beta: a mixture is phi alpha (autoencoder) + (1 - phi) beta (graph); the defaults make it a sum.
        tau: sharpness of the target; smaller is sharper.
        eps_q, eps_r, mu: weights of the divergences of the assignment and of the graph's head from the target, and of
            the reconstruction error.
        adversarial: whether there is a discriminator; false sets ``theta`` and ``theta_pre`` aside.
        theta_pre: weight of the adversarial term in pre-training.
        pretrain_epochs, epochs: of the two phases.
        lr: of both at their start; a tenth of it after every 20 epochs.
        discriminator_lr: of the discriminator.
        n_init: k-means starts.
        tol: end the main phase when at most this share of the labels changed in an epoch; None never does.
        exact_neighbour_cells: up to so many cells distances are of the whole input; beyond, of its leading
            ``n_components`` principal components.
        attention: over all cells ("exact"), over ``n_landmarks`` random ones, or over the neighbours in the graph.
            "auto" is exact up to ``exact_attention_cells``, landmarks beyond.
    """

    VARIANTS: ClassVar[tuple[str, ...]] = tuple(VARIANTS)

    name: str = "sccagn"
    n_genes: int = 2000  # paper
    gene_selection: str = "seurat_hvg"  # released program; the paper says std
    filter_cells: bool = False
    graph: GraphConfig = field(default_factory=GraphConfig)
    gnn: str = "gcn"
    fusion: str = "ca"
    heads: int = 4  # paper
    phi: float = 0.5  # paper
    alpha: float = 2.0
    beta: float = 2.0
    tau: float = 0.5  # paper
    eps_q: float = 1e-4  # paper
    eps_r: float = 1e-3  # released program
    mu: float = 0.5  # paper
    adversarial: bool = True
    theta_pre: float = 0.0
    pretrain_epochs: int = 50  # released program
    epochs: int = 30  # released program
    lr: float = 1e-3  # paper
    discriminator_lr: float = 2e-4  # released program
    n_init: int = 20  # released program
    tol: float | None = None
    exact_neighbour_cells: int = 20_000
    n_components: int = 50
    attention: str = "auto"
    exact_attention_cells: int = 20_000
    n_landmarks: int = 2048

    gene_filter: float | None = None
    input_transform: str | None = None
    norm: str | None = None
    head_relu: bool | None = None
    theta: float | None = None
    adv_loss: str | None = None
    prior_is_real: bool | None = None
    live_latent: bool | None = None
    discriminator_norm: str | None = None
    pretrain_batch: int | None = None
    pretrain_least_steps: int | None = None
    restarts: int | None = None
    centroids_from: str | None = None

    def __post_init__(self) -> None:
        """Check ranges and fill in what follows from the variant, so that a record shows what was used."""
        super().__post_init__()
        for setting in fields(Settings):
            if getattr(self, setting.name) is None:
                object.__setattr__(self, setting.name, getattr(VARIANTS[self.variant], setting.name))
        _ = self.settings  # checks them
        for name, choices in _CHOICES.items():
            check_choice(f"value of method.{name}", getattr(self, name), choices)
        for name in _AT_LEAST_ONE:
            self._require(name, getattr(self, name) >= 1, "at least 1")
        for name in _NOT_NEGATIVE:
            self._require(name, 0 <= getattr(self, name) < float("inf"), "a number of at least 0")
        for name in _POSITIVE:
            self._require(name, 0 < getattr(self, name) < float("inf"), "a positive number")
        self._require("phi", self.phi <= 1, "a share in [0, 1]")
        self._require(
            "heads", self.heads == 0 or LATENT_WIDTH % self.heads == 0, "0 or a divisor of 8, the latent size"
        )
        self._require("tol", self.tol is None or 0 <= self.tol <= 1, "a share of the cells in [0, 1], or null")
        if self.adversarial and self.theta_pre > 0 and self.settings.discriminator_norm == "batch":
            self._require(
                "pretrain_batch", self.settings.pretrain_batch >= 2, "at least 2 for a batch norm with theta_pre"
            )

    @property
    def settings(self) -> Settings:
        """The settings of the last block, filled in."""
        return Settings(**{setting.name: getattr(self, setting.name) for setting in fields(Settings)})

    @property
    def join(self) -> str:
        """How the latent meets the graph in the decoder: ``fusion``, and "none" without heads."""
        return "none" if self.fusion == "ca" and self.heads == 0 else self.fusion

    @property
    def main_theta(self) -> float:
        """Weight of the adversarial term in the main phase, 0 without a discriminator."""
        return self.settings.theta if self.adversarial else 0.0

    @property
    def pretrain_theta(self) -> float:
        """Weight of the adversarial term in pre-training, 0 without a discriminator."""
        return self.theta_pre if self.adversarial else 0.0

    def _require(self, name: str, holds: bool, what: str) -> None:
        """Refuse a value out of range."""
        if not holds:
            raise ConfigError(f"method.{name} must be {what}, got {getattr(self, name)}")
