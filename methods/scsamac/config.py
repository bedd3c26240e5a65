"""Configuration of scSAMAC."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from scbench import vocabulary
from scbench.errors import ConfigError
from scbench.fields import (
    FromVariant,
    Range,
    at_least,
    below_one,
    check_fields,
    choice,
    not_negative,
    positive,
    share,
    switch,
)
from scbench.method import MethodConfig

__all__ = ["ALL_GENES", "MaskConfig", "ScSamacConfig"]

ALL_GENES = "all"
_LATENT_WIDTH = 32
_GENES = Range("a number of at least 1, or all", lambda n: n == ALL_GENES if isinstance(n, str) else n >= 1)
_HEADS = Range("a divisor of 32, the width of the latent", lambda n: n > 0 and _LATENT_WIDTH % n == 0)


@dataclass(frozen=True)
class MaskConfig:
    """Masking of genes by their saliency, the sum of a gene's values over that of the gene with the largest sum."""

    # All values: paper.
    moderate_from: float = share(0.1, "least saliency of a moderately salient gene")
    salient_from: float = share(0.3, "least saliency of a salient gene")
    p_other: float = share(0.6, "probability that a gene of no class is masked")
    p_moderate: float = share(0.3, "probability that a moderately salient gene is masked")
    p_salient: float = share(0.1, "probability that a salient gene is masked")

    def __post_init__(self) -> None:
        """Check ranges."""
        check_fields(self, "method.mask")
        if not 0 < self.moderate_from <= self.salient_from:
            raise ConfigError(
                "method.mask needs 0 < moderate_from <= salient_from <= 1, "
                f"got {self.moderate_from} and {self.salient_from}"
            )


@dataclass(frozen=True)
class ScSamacConfig(MethodConfig):
    """Settings of scSAMAC."""

    VARIANTS: ClassVar[tuple[str, ...]] = ("default", "paper_code")
    NEEDS_COUNTS: ClassVar[bool] = True

    name: str = "scsamac"
    likelihood: str = vocabulary.likelihood("nb")
    n_top_genes: FromVariant[int | str] = vocabulary.n_top_genes(
        2000, "2000 where gene_selection is given", range=_GENES, paper_code=ALL_GENES
    )
    # Released program.
    noise_std: float = vocabulary.noise_std(2.5, "z-scores that counts are decoded from", stored_as="noise_sigma")
    mask: MaskConfig = field(default_factory=MaskConfig)
    n_heads: int = vocabulary.n_heads(8, "of both blocks", range=_HEADS)
    dropout: float = vocabulary.dropout(0.1, "of both attention blocks", stored_as="attention_dropout")  # program
    temperature: float = vocabulary.temperature(0.07, "of the one over instances")  # released program
    contrast_normalize: bool = switch(False, "compare directions in that loss, not inner products")
    clustering_weight: float = vocabulary.clustering_weight(1.0, "gamma, of all clustering terms together")  # program
    wasserstein_weight: float = not_negative(1.0, "weight of the distance between assignments and their target")
    soft_kmeans_weight: float = not_negative(0.001, "weight of the soft k-means term")  # released program
    margin: float = not_negative(1.0, "margin of the cluster-level contrastive loss")  # released program
    dof: float = vocabulary.dof(1.0)
    # Released program.
    batch_size: int = vocabulary.batch_size(256, "the set of the attention and the negatives of the contrast")
    lr: float = vocabulary.lr(1e-4, "of pre-training (Adam with AMSGrad)")
    cluster_lr: float = positive(1.0, "learning rate of clustering (Adadelta)")
    rho: float = below_one(0.95, "decay of the averages of Adadelta")
    tol: float = vocabulary.tol(0.001, "in an epoch of clustering, and not exactly this share")  # released program
    n_init: int = vocabulary.n_init(20)  # released program
    estimate_k: str = choice("none", "latent")(
        "none", "latent: first clusters are the Leiden communities of the pre-trained latent when no more than K"
    )
    n_neighbors: int = vocabulary.n_neighbors(  # released program
        20,
        "that of estimate_k=latent; the cell itself is one of them",
        range=Range("at least 2, the cell itself counted", at_least(2).holds),
    )
    resolution: float = vocabulary.resolution(0.8, "that of estimate_k=latent")  # released program
    exact_attention_cells: int = vocabulary.exact_attention_cells(
        10_000, "in evaluation", earlier=50_000, up_to="exact_attention_cells"
    )
    n_landmarks: int = vocabulary.n_landmarks(
        2048, "the same for one run", stored_as="n_attention_keys", earlier=4096, up_to="exact_attention_cells"
    )
    precision: str = vocabulary.precision(
        "auto", "float64 is of the whole network", range=choice("auto", "float32", "float64", "bfloat16")
    )
    budget: str = vocabulary.budget("paper", is_later=True)
    gene_selection: FromVariant[str] = vocabulary.gene_selection(
        "hvg", "or the program's", range=choice("hvg", "zero_rate"), stored_as="gene_filter", paper_code="zero_rate"
    )
    saliency: FromVariant[str] = choice("log_norm", "counts", "scaled_batch")(
        "log_norm",
        "what a gene's is summed from: values of all cells, once, or the z-scores of each mini-batch",
        paper_code="scaled_batch",
    )
    # paper
    contrast_weight: FromVariant[float] = not_negative(0.001, "mu, of the contrast in pre-training", paper_code=0.01)
    # paper
    cluster_level_weight: FromVariant[float] = not_negative(
        0.01, "omega, of the contrast of clusters", paper_code=0.002
    )
    pretrain_epochs: FromVariant[int] = vocabulary.pretrain_epochs(400, paper_code=300)  # 400: paper
    epochs: FromVariant[int] = vocabulary.epochs(200, "at most", stored_as="max_cluster_epochs", paper_code=2000)
    least_batch: FromVariant[int] = at_least(1)(32, "a smaller last batch joins the one before it", paper_code=1)
    wasserstein: FromVariant[str] = choice("sorted", "detached")(
        "sorted", "sorted has a gradient, detached is a value only", paper_code="detached"
    )
    cluster_head: FromVariant[str] = choice("trained", "random")(
        "trained",
        "one head for both views with a softmax, or two new ones in each batch whose loss is a value only",
        paper_code="random",
    )
    shuffle_clustering: FromVariant[bool] = switch(True, "a new order of the cells in each epoch", paper_code=False)
    clustering_dropout: FromVariant[bool] = switch(True, "whether dropout is on in clustering", paper_code=False)
    attention_scope: FromVariant[str] = choice("all", "blocks")(
        "all", "whom a cell attends to in evaluation: all, or blocks of batch_size", paper_code="blocks"
    )

    def __post_init__(self) -> None:
        """Let a choice of genes that is given bring the default's number of them."""
        if self.n_top_genes is None and self.gene_selection is not None:
            object.__setattr__(self, "n_top_genes", 2000)
        super().__post_init__()
