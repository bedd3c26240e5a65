"""Configuration of CICL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scbench import vocabulary
from scbench.errors import ConfigError
from scbench.fields import FromVariant, at_least, choice, not_negative, positive, share, switch
from scbench.method import MethodConfig

__all__ = ["CiclConfig"]


@dataclass(frozen=True)
class CiclConfig(MethodConfig):
    """Settings of CICL; ``paper_text`` is for where paper and program differ and the default goes with the program."""

    VARIANTS: ClassVar[tuple[str, ...]] = ("default", "paper_text", "paper_code")

    name: str = "cicl"
    # Section 2.1.
    n_top_genes: int = vocabulary.n_top_genes(500, "and the encoder's width", range=at_least(2), stored_as="n_genes")
    scale_clip: float | None = positive(None, "cut z-scores to this; null is no cut")
    # The next two: released program.
    noise_std: float = vocabulary.noise_std(0.5, "of noise=gaussian", stored_as="noise_sigma")
    noise_gene_fraction: float = share(0.8, "share of a cell's genes that noise=gaussian is on")
    n_layers: int = at_least(1)(4, "blocks of the encoder")  # Table 2
    n_heads: int = vocabulary.n_heads(2)  # released program
    value_width: int = at_least(1)(512, "width of each head")  # released program
    ffn_width: int = at_least(1)(1024, "width of the hidden layer of a block")  # Table 2
    dropout: float = vocabulary.dropout(0.2, "of the encoder")  # released program
    projection_width: int = at_least(1)(512, "width of the projection head's output")  # Table 2
    similarity: str = choice("cosine", "dot")("cosine", "of two projected views")
    temperature: float = vocabulary.temperature(0.5, stored_as="tau")  # Table 2
    # Eq. 17 and the sweep of the paper.
    cluster_weight: float = not_negative(0.1, "lambda, the weight of the cluster-aware loss; 0 leaves it out")
    # The next three: released program.
    lr: float = vocabulary.lr(1e-4, "of the encoder (Adam)", stored_as="learning_rate")
    weight_decay: float = not_negative(1e-3, "of the encoder, as L2 in the gradient")
    head_lr: float = positive(1e-5, "learning rate of the projection head (no decay)", stored_as="head_learning_rate")
    batch_size: int = vocabulary.batch_size(6000, range=at_least(2))  # Table 2
    precision: str = vocabulary.precision(
        "auto", "of the training steps; representations are always in float32", is_later=True
    )
    n_init: int = vocabulary.n_init(10, "of the first centroids and of cold restarts")
    centroid_every: int = at_least(1)(1, "epochs between updates of the centroids")
    cold_restart_every: int = at_least(0)(10, "updates of the centroids between cold restarts; 0 is never")
    init_labels: str = choice("encoder", "input")(
        "encoder", "first pseudo-labels from k-means on the representation of the untrained encoder, or on the input"
    )
    warmup_epochs: int = at_least(0)(0, "epochs without cluster-aware loss at the start")
    # The tolerance of DEC and scDeepCluster. Those ask once, but between many steps; here an update may follow a single
    # one, hence the patience; the least number of epochs is two rounds of cold restarts.
    tol: float = vocabulary.tol(0.001, "pseudo-labels, at an update of the centroids", stored_as="tol_labels")
    patience: int = at_least(1)(5, "updates in a row within tol that stop=labels ends after")
    min_epochs: int = at_least(0)(20, "epochs before which stop=labels does not end")
    read_out: str = choice("kmeans", "centroid", "input")(
        "kmeans",
        "final labels: k-means on the representation, the nearest centroid of the training, or k-means on the z-scored "
        "input without any training, which is the floor of this method",
    )
    budget: str = vocabulary.budget(
        "paper",
        "whatever stop says, without the warm-up; or once labels have settled to 0.01, ten times",
        is_later=True,
    )
    # Section 2.4.
    dof: float = vocabulary.dof(1.0, "that are returned; they do not affect the labels", stored_as="alpha")
    # 1000: section "implementation details"; 51: the program's 50, counted from 0 to 50.
    epochs: FromVariant[int] = vocabulary.epochs(1000, "at most; 0 clusters the untrained encoder", paper_code=51)
    stop: FromVariant[str] = choice("labels", "none")(
        "labels", "end when the pseudo-labels have settled, or only after epochs", paper_code="none"
    )
    noise: FromVariant[str] = choice("gaussian", "unit_interval")(
        "gaussian", "gaussian on some genes, or the paper's wording", paper_text="unit_interval"
    )
    resample_views: FromVariant[bool] = switch(True, "draw the views anew in each step, or once", paper_code=False)
    attention_residual: FromVariant[str] = choice("double", "single")(
        "double", "single is eq. 5 of the paper", paper_text="single"
    )
    block_init: FromVariant[str] = choice("independent", "copies")(
        "independent", "initial weights of the encoder's blocks", paper_code="copies"
    )
    head_hidden: FromVariant[int] = at_least(1)(2048, "width of the projection head's hidden layer", paper_text=1024)
    centroids: FromVariant[str] = choice("full", "batch", "frozen")(
        "full", "re-estimate them on all cells between epochs, on each mini-batch, or never", paper_code="frozen"
    )
    instance_loss: FromVariant[str] = choice("both_views", "cross_view")(
        "both_views", "NT-Xent, or from view 1 to view 2 only", paper_code="cross_view"
    )
    cluster_positive: FromVariant[str] = choice("logsumexp", "mean_log", "own_pair")(
        "logsumexp", "how the positives of the cluster-aware loss are joined", paper_code="own_pair"
    )
    cluster_reduction: FromVariant[str] = choice("mean", "sum_of_cluster_means")(
        "mean", "of that loss over the cells", paper_code="sum_of_cluster_means"
    )
    final_start: FromVariant[str] = choice("k-means++", "random")(
        "k-means++", "starts of the final k-means", paper_code="random"
    )
    final_n_init: FromVariant[int] = at_least(1)(10, "how many of them", paper_code=8)

    def __post_init__(self) -> None:
        """Check what no field can say alone."""
        super().__post_init__()
        if self.warmup_epochs > self.epochs:
            raise ConfigError(f"method.warmup_epochs must be at most epochs ({self.epochs}), got {self.warmup_epochs}")
        if self.stop == "labels" and self.centroids != "full":
            raise ConfigError(
                f"method.stop=labels watches the pseudo-labels of all cells, which centroids={self.centroids} does not "
                "re-estimate; use stop=none or centroids=full"
            )
