"""Configuration of scSAMAC."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import ClassVar

from scbench_methods.scsamac.variants import VARIANTS, Settings

from scbench.errors import ConfigError
from scbench.method import MethodConfig
from scbench.names import check_choice

__all__ = ["ALL_GENES", "MaskConfig", "ScSamacConfig"]

ALL_GENES = "all"

_AT_LEAST_ONE = ("n_heads", "batch_size", "n_init", "n_neighbors", "exact_attention_cells", "n_attention_keys")
_POSITIVE = ("temperature", "dof", "lr", "cluster_lr", "resolution")
_NOT_NEGATIVE = ("noise_sigma", "clustering_weight", "wasserstein_weight", "soft_kmeans_weight", "margin", "tol")


@dataclass(frozen=True)
class MaskConfig:
    """Masking of genes by their saliency, the sum of a gene's values over that of the gene with the largest sum.

    Attributes:
        moderate_from, salient_from: least saliency of a moderately salient and of a salient gene.
        p_other, p_moderate, p_salient: probability that a gene of that class is masked.
    """

    moderate_from: float = 0.1  # paper
    salient_from: float = 0.3  # paper
    p_other: float = 0.6  # paper, as the two below
    p_moderate: float = 0.3
    p_salient: float = 0.1

    def __post_init__(self) -> None:
        """Check ranges."""
        for name in ("p_other", "p_moderate", "p_salient"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"method.mask.{name} is a probability, got {getattr(self, name)}")
        if not 0 < self.moderate_from <= self.salient_from <= 1:
            raise ConfigError(
                "method.mask needs 0 < moderate_from <= salient_from <= 1, "
                f"got {self.moderate_from} and {self.salient_from}"
            )


@dataclass(frozen=True)
class ScSamacConfig(MethodConfig):
    """Settings of scSAMAC. The last block follows from ``variant`` where it is None; see :class:`variants.Settings`.

    Attributes:
        likelihood: of the counts, "nb" or "zinb".
        n_top_genes: genes to keep, or "all". None is 2000; in ``paper_code`` all, unless ``gene_filter`` is named.
        noise_sigma: standard deviation of the normal noise on the z-scores that the counts are decoded from.
        mask: the masked view.
        n_heads, attention_dropout: of both attention blocks.
        temperature: of the instance contrastive loss.
        contrast_normalize: compare directions in it, not inner products.
        clustering_weight: gamma, of all clustering terms together.
        wasserstein_weight: of the distance between assignments and their target.
        soft_kmeans_weight: of the soft k-means term.
        margin: of the cluster-level contrastive loss.
        dof: degrees of freedom of the Student-t assignment.
        batch_size: cells in a step: the set of the attention and the negatives of the contrast.
        lr: of pre-training (Adam with AMSGrad).
        cluster_lr, rho: of clustering (Adadelta).
        tol: clustering ends when fewer than this share of the labels changed in an epoch.
        n_init: k-means starts.
        estimate_k: "none", or "latent": take the Leiden communities of the pre-trained latent as first clusters when
            they are no more than K.
        n_neighbors, resolution: of that graph (the cell itself counted) and of Leiden.
        exact_attention_cells: evaluation attends to all cells up to so many; beyond, to ``n_attention_keys`` of them.
        n_attention_keys: random cells, the same for one run.
        precision: of the network: "float32", "float64", "bfloat16" (wide products only), or "auto": bfloat16 on a GPU,
            float32 elsewhere.
    """

    VARIANTS: ClassVar[tuple[str, ...]] = tuple(VARIANTS)

    name: str = "scsamac"
    likelihood: str = "nb"
    n_top_genes: int | str | None = None
    noise_sigma: float = 2.5  # released program
    mask: MaskConfig = field(default_factory=MaskConfig)
    n_heads: int = 8
    attention_dropout: float = 0.1  # released program
    temperature: float = 0.07  # released program
    contrast_normalize: bool = False
    clustering_weight: float = 1.0  # released program
    wasserstein_weight: float = 1.0
    soft_kmeans_weight: float = 0.001  # released program
    margin: float = 1.0  # released program
    dof: float = 1.0
    batch_size: int = 256  # released program
    lr: float = 1e-4
    cluster_lr: float = 1.0
    rho: float = 0.95
    tol: float = 0.001  # released program
    n_init: int = 20  # released program
    estimate_k: str = "none"
    n_neighbors: int = 20  # released program
    resolution: float = 0.8  # released program
    exact_attention_cells: int = 50_000
    n_attention_keys: int = 4096
    precision: str = "auto"

    gene_filter: str | None = None
    saliency: str | None = None
    contrast_weight: float | None = None
    cluster_level_weight: float | None = None
    pretrain_epochs: int | None = None
    max_cluster_epochs: int | None = None
    least_batch: int | None = None
    wasserstein: str | None = None
    cluster_head: str | None = None
    shuffle_clustering: bool | None = None
    clustering_dropout: bool | None = None
    attention_scope: str | None = None

    def __post_init__(self) -> None:
        """Check ranges and fill in what follows from the variant, so that a record shows what was used."""
        super().__post_init__()
        if self.n_top_genes is None:
            is_program = self.variant == "paper_code" and self.gene_filter is None
            object.__setattr__(self, "n_top_genes", ALL_GENES if is_program else 2000)
        for setting in fields(Settings):
            if getattr(self, setting.name) is None:
                object.__setattr__(self, setting.name, getattr(VARIANTS[self.variant], setting.name))
        _ = self.settings  # checks them
        check_choice("value of method.likelihood", self.likelihood, ("nb", "zinb"))
        check_choice("value of method.estimate_k", self.estimate_k, ("none", "latent"))
        check_choice("value of method.precision", self.precision, ("auto", "float32", "float64", "bfloat16"))
        is_number = isinstance(self.n_top_genes, int)
        self._require(
            "n_top_genes",
            self.n_top_genes == ALL_GENES or (is_number and int(self.n_top_genes or 0) >= 1),
            "at least 1, or all",
        )
        for name in _AT_LEAST_ONE:
            self._require(name, getattr(self, name) >= 1, "at least 1")
        for name in _POSITIVE:
            self._require(name, 0 < getattr(self, name) < float("inf"), "a positive number")
        for name in _NOT_NEGATIVE:
            self._require(name, 0 <= getattr(self, name) < float("inf"), "a number of at least 0")
        self._require("n_heads", 32 % self.n_heads == 0, "a divisor of 32, the width of the latent")
        self._require("n_neighbors", self.n_neighbors >= 2, "at least 2, the cell itself counted")
        self._require("attention_dropout", 0 <= self.attention_dropout < 1, "in [0, 1)")
        self._require("rho", 0 <= self.rho < 1, "in [0, 1)")

    @property
    def settings(self) -> Settings:
        """The settings of the last block, filled in."""
        return Settings(**{setting.name: getattr(self, setting.name) for setting in fields(Settings)})

    def _require(self, name: str, holds: bool, what: str) -> None:
        """Refuse a value out of range."""
        if not holds:
            raise ConfigError(f"method.{name} must be {what}, got {getattr(self, name)}")
