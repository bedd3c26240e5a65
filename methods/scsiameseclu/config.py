"""Configuration of scSiameseClu."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from scbench.errors import ConfigError
from scbench.method import MethodConfig
from scbench.names import check_choice

__all__ = ["METRICS", "PARTS", "PROGRAM_METRICS", "GraphConfig", "ScSiameseCluConfig"]

# Similarities of the released program, on z-scored genes; the others are distances of principal components.
PROGRAM_METRICS = ("heat", "p", "cos", "ncos")
METRICS = ("auto", "euclidean", "cosine", "correlation", *PROGRAM_METRICS)

# What ``without`` can leave out; "fusion" is the whole fusion module: the four after it.
PARTS = ("fusion", "cell_level", "latent_level", "propagation", "reconstruction", "zinb", "transport")


@dataclass(frozen=True)
class GraphConfig:
    """The graph of cells.

    Attributes:
        metric: "euclidean", "cosine" or "correlation" distance of the principal components; or one of the released
            program's similarities of z-scored genes, "heat", "p", "cos" or "ncos" (see ``program_graph``). "auto" is
            euclidean, or heat in ``paper_code``.
        k: neighbours of each cell.
        symmetrise: "max" joins two cells when either names the other, "mean" averages, "none" leaves edges
            directed. "auto" is max, or none in ``paper_code``.
    """

    metric: str = "auto"
    k: int = 10
    symmetrise: str = "auto"

    def __post_init__(self) -> None:
        """Check choices and ranges."""
        check_choice("method.graph.metric", self.metric, METRICS)
        check_choice("method.graph.symmetrise", self.symmetrise, ("auto", "max", "mean", "none"))
        if self.k < 1:
            raise ConfigError(f"method.graph.k must be at least 1, got {self.k}")


@dataclass(frozen=True)
class ScSiameseCluConfig(MethodConfig):
    """Settings of scSiameseClu; one set for all datasets, none of them tuned by us.

    Attributes:
        n_genes: variable genes (flavour seurat).
        min_cells: keep genes found in so many cells; null is 3, as in the paper, or 0 in ``paper_code``.
        n_components: principal components that the networks see.
        graph: the graph of cells.
        alpha: teleport probability of the diffused view (DCRN's value).
        sigma, mu, delta: weights of the ZINB loss, the clustering loss and the propagation regulariser (the row that
            the authors use for most of their datasets, as is ``lr``).
        lr: of the main training.
        epochs: of the main training, full batch.
        ae_epochs, igae_epochs, joint_epochs: of the three stages of pre-training.
        batch_size: of the first stage.
        edge_removal: share of edges that view 1 goes without.
        noise_std: of the multiplicative noise on each view.
        exponent: sharpness of the transport target.
        target_update_interval: epochs between two targets.
        marginals: cluster sizes that the target keeps: "sizes" of the initial k-means, or "uniform".
        assign: final labels by "kmeans" on the embedding, or "argmax_q" of the soft assignment.
        n_init: k-means starts.
        without: a part to leave out, or several joined by "+": see ``PARTS``.
        exact_adjacency_cells: up to so many cells the adjacency error is over all pairs; sampled beyond.
        exact_attention_cells: up to so many cells the attention is over all cells; beyond, over landmarks.
        n_landmarks: landmark cells.
    """

    VARIANTS: ClassVar[tuple[str, ...]] = ("default", "paper_code")

    name: str = "scsiameseclu"
    n_genes: int = 1000
    min_cells: int | None = None
    n_components: int = 100
    graph: GraphConfig = field(default_factory=GraphConfig)
    alpha: float = 0.2
    sigma: float = 2.0
    mu: float = 10.0
    delta: float = 1e3
    lr: float = 1e-4
    epochs: int = 50
    ae_epochs: int = 100
    igae_epochs: int = 50
    joint_epochs: int = 200
    batch_size: int = 256
    edge_removal: float = 0.1
    noise_std: float = 0.1
    exponent: float = 5.0
    target_update_interval: int = 10
    marginals: str = "sizes"
    assign: str = "kmeans"
    n_init: int = 20
    without: str = "none"
    exact_adjacency_cells: int = 5000
    exact_attention_cells: int = 20000
    n_landmarks: int = 1024

    def __post_init__(self) -> None:
        """Check choices and ranges."""
        super().__post_init__()
        check_choice("method.marginals", self.marginals, ("sizes", "uniform"))
        check_choice("method.assign", self.assign, ("kmeans", "argmax_q"))
        parts = self.without.split("+")
        for part in parts:
            check_choice("method.without", part, ("none", *PARTS))
        if len(set(parts)) < len(parts) or (len(parts) > 1 and "none" in parts):
            raise ConfigError(
                f"method.without names parts once each, such as zinb+transport, or none; got {self.without}"
            )
        for key in ("n_genes", "n_components", "batch_size", "target_update_interval", "n_init", "n_landmarks"):
            if getattr(self, key) < 1:
                raise ConfigError(f"method.{key} must be at least 1, got {getattr(self, key)}")
        for key in ("epochs", "ae_epochs", "igae_epochs", "joint_epochs", "sigma", "mu", "delta", "noise_std"):
            if not 0 <= getattr(self, key) < float("inf"):
                raise ConfigError(f"method.{key} must be at least 0, got {getattr(self, key)}")
        for key in ("lr", "exponent"):
            if not 0 < getattr(self, key) < float("inf"):
                raise ConfigError(f"method.{key} must be above 0, got {getattr(self, key)}")
        if not 0 < self.alpha <= 1:
            raise ConfigError(f"method.alpha is a probability above 0, at most 1; got {self.alpha}")
        if not 0 <= self.edge_removal < 1:
            raise ConfigError(f"method.edge_removal must be in [0, 1), got {self.edge_removal}")
        if self.min_cells is not None and self.min_cells < 0:
            raise ConfigError(f"method.min_cells must be at least 0, got {self.min_cells}")

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
    def metric(self) -> str:
        """Return the metric of the graph, "auto" resolved."""
        if self.graph.metric != "auto":
            return self.graph.metric
        return "heat" if self.is_paper_code else "euclidean"

    @property
    def symmetrise(self) -> str:
        """Return how edges are made mutual, "auto" resolved."""
        if self.graph.symmetrise != "auto":
            return self.graph.symmetrise
        return "none" if self.is_paper_code else "max"

    @property
    def gene_filter(self) -> int:
        """Return the least number of cells of a gene, null resolved."""
        if self.min_cells is not None:
            return self.min_cells
        return 0 if self.is_paper_code else 3
