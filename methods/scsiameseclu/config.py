"""Configuration of scSiameseClu."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scbench import vocabulary
from scbench.errors import ConfigError
from scbench.fields import Range, at_least, below_one, choice, not_negative, positive
from scbench.method import MethodConfig
from scbench.names import check_choice

__all__ = ["METRICS", "PARTS", "PROGRAM_METRICS", "ScSiameseCluConfig"]

# Similarities of the released program, on z-scored genes; the others are distances of principal components.
PROGRAM_METRICS = ("heat", "p", "cos", "ncos")
METRICS = ("auto", "euclidean", "cosine", "correlation", *PROGRAM_METRICS)

# What ``without`` can leave out; "fusion" is the whole fusion module: the four after it.
PARTS = ("fusion", "cell_level", "latent_level", "propagation", "reconstruction", "zinb", "transport")
_SOME_PARTS = Range(f"none, or some of {', '.join(PARTS)} joined by +", lambda value: True)


@dataclass(frozen=True)
class ScSiameseCluConfig(MethodConfig):
    """Settings of scSiameseClu; one set for all datasets, none of them tuned by us."""

    VARIANTS: ClassVar[tuple[str, ...]] = ("default", "paper_code")

    name: str = "scsiameseclu"
    n_top_genes: int = vocabulary.n_top_genes(1000, "flavour seurat", stored_as="n_genes")
    min_cells: int | None = at_least(0)(None, "least cells of a gene; null: 3 (paper), 0 in paper_code")
    n_components: int = vocabulary.n_components(100, "that the networks see")
    metric: str = choice(*METRICS)(
        "auto",
        "distance of the principal components, or one of the released program's similarities of z-scored genes (heat, "
        "p, cos, ncos); auto is euclidean, or heat in paper_code",
        stored_as="graph.metric",
    )
    n_neighbors: int = vocabulary.n_neighbors(10, "the cell itself is not one of them", stored_as="graph.k")
    symmetrise: str = choice("auto", "max", "mean", "none")(
        "auto",
        "max joins two cells when either names the other, mean averages, none leaves edges directed; auto is max, or "
        "none in paper_code",
        stored_as="graph.symmetrise",
    )
    teleport: float = Range("a probability above 0, at most 1", lambda value: 0 < value <= 1)(
        0.2, "alpha, teleport probability of the diffused view (DCRN's value)", stored_as="alpha"
    )
    # The weights and lr are the row that the authors use for most of their datasets.
    zinb_weight: float = not_negative(2.0, "sigma, weight of the ZINB loss", stored_as="sigma")
    clustering_weight: float = vocabulary.clustering_weight(10.0, "mu, of the transport term", stored_as="mu")
    propagation_weight: float = not_negative(1e3, "delta, weight of the propagation regulariser", stored_as="delta")
    lr: float = vocabulary.lr(1e-4, "of the main training")
    epochs: int = vocabulary.epochs(50, "full batch")
    pretrain_epochs: int = vocabulary.pretrain_epochs(100, "its first stage, the autoencoder", stored_as="ae_epochs")
    pretrain_graph_epochs: int = at_least(0)(50, "of its second stage, the graph autoencoder", stored_as="igae_epochs")
    pretrain_joint_epochs: int = at_least(0)(200, "of its third stage, both together", stored_as="joint_epochs")
    batch_size: int = vocabulary.batch_size(256, "of the first stage; the others take all cells")
    edge_removal: float = below_one(0.1, "share of edges that view 1 goes without")
    noise_std: float = vocabulary.noise_std(0.1, "multiplicative, on each view")
    exponent: float = positive(5.0, "sharpness of the transport target")
    target_update_interval: int = at_least(1)(10, "epochs between two targets")
    marginals: str = choice("sizes", "uniform")("sizes", "cluster sizes of the target: of the first k-means, or equal")
    assign: str = choice("kmeans", "argmax_q")("kmeans", "final labels: of the embedding, or of soft assignment")
    n_init: int = vocabulary.n_init(20)
    without: str = _SOME_PARTS("none", "parts to leave out; fusion is the four after it")
    budget: str = vocabulary.budget("paper", "each of the four phases by itself", is_later=True)
    precision: str = vocabulary.precision(
        "auto", "of the linear layers, the graph layers and the count heads", is_later=True
    )
    exact_adjacency_cells: int = at_least(0)(5000, "the adjacency error is over all pairs up to so many cells")
    exact_attention_cells: int = vocabulary.exact_attention_cells(20_000)
    n_landmarks: int = vocabulary.n_landmarks(1024)

    def __post_init__(self) -> None:
        """Check the parts to leave out."""
        super().__post_init__()
        parts = self.without.split("+")
        for part in parts:
            check_choice("method.without", part, ("none", *PARTS))
        if len(set(parts)) < len(parts) or (len(parts) > 1 and "none" in parts):
            raise ConfigError(
                f"method.without names parts once each, such as zinb+transport, or none; got {self.without}"
            )

    @property
    def left_out(self) -> frozenset[str]:
        """Return the parts of the loss that are left out, "fusion" spelt out."""
        parts = set(self.without.split("+")) - {"none"}
        if "fusion" in parts:
            parts |= {"cell_level", "latent_level", "propagation", "reconstruction"}
        return frozenset(parts)

    @property
    def is_paper_code(self) -> bool:
        """Return whether the released program's behaviour is asked for."""
        return self.variant == "paper_code"

    @property
    def metric_used(self) -> str:
        """Return the metric of the graph, "auto" resolved."""
        if self.metric != "auto":
            return self.metric
        return "heat" if self.is_paper_code else "euclidean"

    @property
    def symmetrise_used(self) -> str:
        """Return how edges are made mutual, "auto" resolved."""
        if self.symmetrise != "auto":
            return self.symmetrise
        return "none" if self.is_paper_code else "max"

    @property
    def min_cells_used(self) -> int:
        """Return the least number of cells of a gene, null resolved."""
        if self.min_cells is not None:
            return self.min_cells
        return 0 if self.is_paper_code else 3
