"""Configuration of CICL."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar

from scbench_methods.cicl.variants import VARIANTS, Settings

from scbench.errors import ConfigError
from scbench.method import MethodConfig
from scbench.names import check_choice

__all__ = ["CiclConfig"]

_AT_LEAST = {
    "n_genes": 2,
    "n_layers": 1,
    "n_heads": 1,
    "value_width": 1,
    "ffn_width": 1,
    "projection_width": 1,
    "batch_size": 2,
    "n_init": 1,
    "centroid_every": 1,
    "cold_restart_every": 0,
    "warmup_epochs": 0,
    "patience": 1,
    "min_epochs": 0,
}
_POSITIVE = ("tau", "learning_rate", "head_learning_rate", "alpha")
_NOT_NEGATIVE = ("noise_sigma", "cluster_weight", "weight_decay")
_SHARES = ("noise_gene_fraction", "tol_labels")


@dataclass(frozen=True)
class CiclConfig(MethodConfig):
    """Settings of CICL. The last block follows from ``variant`` where it is None; see :class:`variants.Settings`.

    Attributes:
        n_genes: variable genes (flavour seurat); also the width of the encoder.
        scale_clip: cut z-scores to this; None = no cut.
        noise_sigma, noise_gene_fraction: of the noise "gaussian".
        n_layers, n_heads, value_width (of each head), ffn_width, dropout: of the encoder.
        projection_width: of the head's output.
        similarity: of two projected views, "cosine" or "dot".
        tau: temperature.
        cluster_weight: lambda, the weight of the cluster-aware loss; 0 leaves it out.
        learning_rate, weight_decay: of the encoder (Adam, L2 in the gradient).
        head_learning_rate: of the projection head (no decay).
        batch_size: cells in a step, at most.
        n_init: k-means++ starts of the first centroids and of cold restarts.
        centroid_every: epochs between updates of the centroids.
        cold_restart_every: updates of the centroids between cold restarts; 0 = never.
        init_labels: first pseudo-labels from k-means on the representation of the untrained "encoder" or on the
            "input".
        warmup_epochs: epochs without cluster-aware loss at the start.
        tol_labels, patience: ``stop=labels`` ends the training when at most this share of the pseudo-labels changed
            in so many updates of the centroids in a row, and not before ``min_epochs``.
        read_out: final labels from "kmeans" on the representation, or the nearest "centroid" of the training, or
            k-means on the z-scored "input" without any training, which is the floor of this method.
        alpha: degrees of freedom of the Student-t memberships that are returned; they do not affect the labels.
    """

    VARIANTS: ClassVar[tuple[str, ...]] = tuple(VARIANTS)

    name: str = "cicl"
    n_genes: int = 500  # section 2.1
    scale_clip: float | None = None
    noise_sigma: float = 0.5  # released program
    noise_gene_fraction: float = 0.8  # released program
    n_layers: int = 4  # Table 2
    n_heads: int = 2  # released program
    value_width: int = 512  # released program
    ffn_width: int = 1024  # Table 2
    dropout: float = 0.2  # released program
    projection_width: int = 512  # Table 2
    similarity: str = "cosine"
    tau: float = 0.5  # Table 2
    cluster_weight: float = 0.1  # eq. 17 and the sweep of the paper
    learning_rate: float = 1e-4  # released program
    weight_decay: float = 1e-3  # released program
    head_learning_rate: float = 1e-5  # released program
    batch_size: int = 6000  # Table 2
    n_init: int = 10
    centroid_every: int = 1
    cold_restart_every: int = 10
    init_labels: str = "encoder"
    warmup_epochs: int = 0
    tol_labels: float = 0.001  # DEC and scDeepCluster
    patience: int = 5  # those ask once, but between many steps; here an update may follow a single one
    min_epochs: int = 20  # two rounds of cold restarts
    read_out: str = "kmeans"
    alpha: float = 1.0  # section 2.4

    epochs: int | None = None
    stop: str | None = None
    noise: str | None = None
    resample_views: bool | None = None
    attention_residual: str | None = None
    block_init: str | None = None
    head_hidden: int | None = None
    centroids: str | None = None
    instance_loss: str | None = None
    cluster_positive: str | None = None
    cluster_reduction: str | None = None
    final_start: str | None = None
    final_n_init: int | None = None

    def __post_init__(self) -> None:
        """Check ranges and fill in what follows from the variant, so that a record shows what was used."""
        super().__post_init__()
        for field in fields(Settings):
            if getattr(self, field.name) is None:
                object.__setattr__(self, field.name, getattr(VARIANTS[self.variant], field.name))
        _ = self.settings  # checks them
        check_choice("value of method.similarity", self.similarity, ("cosine", "dot"))
        check_choice("value of method.init_labels", self.init_labels, ("encoder", "input"))
        check_choice("value of method.read_out", self.read_out, ("kmeans", "centroid", "input"))
        for name, least in _AT_LEAST.items():
            self._require(name, getattr(self, name) >= least, f"at least {least}")
        for name in _POSITIVE:
            self._require(name, 0 < getattr(self, name) < float("inf"), "a positive number")
        for name in _NOT_NEGATIVE:
            self._require(name, 0 <= getattr(self, name) < float("inf"), "a number of at least 0")
        for name in _SHARES:
            self._require(name, 0 <= getattr(self, name) <= 1, "between 0 and 1")
        self._require("dropout", 0 <= self.dropout < 1, "in [0, 1)")
        epochs = self.settings.epochs
        self._require("warmup_epochs", self.warmup_epochs <= epochs, f"at most epochs ({epochs})")
        self._require("scale_clip", self.scale_clip is None or self.scale_clip > 0, "positive, or null")

    @property
    def settings(self) -> Settings:
        """The settings of the last block, filled in."""
        return Settings(**{field.name: getattr(self, field.name) for field in fields(Settings)})

    def _require(self, name: str, holds: bool, what: str) -> None:
        """Refuse a value out of range."""
        if not holds:
            raise ConfigError(f"method.{name} must be {what}, got {getattr(self, name)}")
