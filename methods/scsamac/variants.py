"""What the variants of scSAMAC differ in; imports no array library."""

from __future__ import annotations

from dataclasses import dataclass, replace

from scbench.errors import ConfigError
from scbench.names import check_choice

__all__ = ["SALIENCY_SOURCES", "VARIANTS", "Settings"]

SALIENCY_SOURCES = ("log_norm", "counts", "scaled_batch")


@dataclass(frozen=True)
class Settings:
    """The settings that follow from ``method.variant`` where a command does not give them; defaults are "default"'s.

    Attributes:
        gene_filter: how ``n_top_genes`` are chosen: "hvg" (flavour seurat) or "zero_rate", the program's filter.
        saliency: what the saliency of a gene is summed from: "log_norm" or "counts" of all cells, once, or
            "scaled_batch", the z-scores of each mini-batch.
        contrast_weight: mu, of the instance contrastive loss in pre-training.
        cluster_level_weight: omega, of the cluster-level contrastive loss.
        pretrain_epochs: epochs of pre-training.
        max_cluster_epochs: most epochs of clustering.
        least_batch: a smaller last batch joins the one before it.
        wasserstein: "sorted" has a gradient, "detached" is a value only.
        cluster_head: "trained" is one head for both views with a softmax, "random" two new ones in each batch whose
            loss is a value only.
        shuffle_clustering: whether clustering sees the cells in a new order in each epoch.
        clustering_dropout: whether the dropout of the attention is on during clustering.
        attention_scope: which cells a cell attends to when all are evaluated: "all" or the "blocks" of ``batch_size``
            cells in the order in which they came.
    """

    gene_filter: str = "hvg"
    saliency: str = "log_norm"
    contrast_weight: float = 0.001  # paper
    cluster_level_weight: float = 0.01  # paper
    pretrain_epochs: int = 400  # paper
    max_cluster_epochs: int = 200
    least_batch: int = 32
    wasserstein: str = "sorted"
    cluster_head: str = "trained"
    shuffle_clustering: bool = True
    clustering_dropout: bool = True
    attention_scope: str = "all"

    def __post_init__(self) -> None:
        """Check choices and ranges."""
        for field, choices in _CHOICES.items():
            check_choice(f"value of method.{field}", getattr(self, field), choices)
        for field in ("contrast_weight", "cluster_level_weight", "pretrain_epochs", "max_cluster_epochs"):
            if not 0 <= getattr(self, field) < float("inf"):
                raise ConfigError(f"method.{field} must be a number of at least 0, got {getattr(self, field)}")
        if self.least_batch < 1:
            raise ConfigError(f"method.least_batch must be at least 1, got {self.least_batch}")


_CHOICES = {
    "gene_filter": ("hvg", "zero_rate"),
    "saliency": SALIENCY_SOURCES,
    "wasserstein": ("sorted", "detached"),
    "cluster_head": ("trained", "random"),
    "attention_scope": ("all", "blocks"),
}

VARIANTS: dict[str, Settings] = {
    "default": Settings(),
    "paper_code": replace(
        Settings(),
        gene_filter="zero_rate",
        saliency="scaled_batch",
        contrast_weight=0.01,
        cluster_level_weight=0.002,
        pretrain_epochs=300,
        max_cluster_epochs=2000,
        least_batch=1,
        wasserstein="detached",
        cluster_head="random",
        shuffle_clustering=False,
        clustering_dropout=False,
        attention_scope="blocks",
    ),
}
