"""Configuration of scCAGN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scbench import vocabulary
from scbench.errors import ConfigError
from scbench.fields import FromVariant, Range, at_least, choice, not_negative, positive, share, switch
from scbench.method import MethodConfig

__all__ = ["LATENT_WIDTH", "ScCagnConfig"]

LATENT_WIDTH = 8
_HEADS = Range("0 or a divisor of 8, the latent size", lambda n: n == 0 or (n > 0 and LATENT_WIDTH % n == 0))
_A_SHARE_OF_CELLS = Range("a share of cells in [0, 1)", lambda value: 0 <= value < 1)


@dataclass(frozen=True)
class ScCagnConfig(MethodConfig):
    """Settings of scCAGN."""

    VARIANTS: ClassVar[tuple[str, ...]] = ("default", "paper_code")

    name: str = "sccagn"
    n_top_genes: int = vocabulary.n_top_genes(2000, stored_as="n_genes")  # paper
    # Released program; the paper says std.
    gene_selection: str = vocabulary.gene_selection(
        "seurat_hvg", "std: largest of the log-normalised values", range=choice("seurat_hvg", "std")
    )
    filter_cells: bool = switch(False, "do not learn from cells with at most 1 % of the genes; they join the nearest")
    n_neighbors: int = vocabulary.n_neighbors(10, "Euclidean, without the cell itself", stored_as="graph.k")  # paper
    prune: bool = switch(  # released program
        True,
        "leave out neighbours farther than the mean plus the standard deviation of the cell's distances",
        stored_as="graph.prune",
    )
    gnn: str = choice("gcn", "gat", "sage")("gcn", "layers on the graph")
    fusion: str = choice("ca", "none", "concat", "multiply")("ca", "how the decoder joins latent and graph")
    n_heads: int = vocabulary.n_heads(4, "0 is fusion=none", range=_HEADS, stored_as="heads")  # paper
    phi: float = Range("a share in [0, 1]", share.holds)(  # paper
        0.5, "a mixture is phi alpha (autoencoder) + (1 - phi) beta (graph); the defaults make it a sum"
    )
    alpha: float = not_negative(2.0, "see phi")
    beta: float = not_negative(2.0, "see phi")
    # Paper. Not the temperature of a contrast, which compares cells: this one sharpens memberships.
    target_temperature: float = positive(0.5, "of the memberships' target; smaller is sharper", stored_as="tau")
    # paper
    assignment_weight: float = not_negative(
        1e-4, "eps_q, weight of the divergence of the memberships from the target", stored_as="eps_q"
    )
    # released program
    graph_head_weight: float = not_negative(
        1e-3, "eps_r, weight of the divergence of the graph's head from the target", stored_as="eps_r"
    )
    reconstruction_weight: float = not_negative(0.5, "mu, weight of that error", stored_as="mu")  # paper
    adversarial: bool = switch(True, "whether there is a discriminator; false sets both adversarial weights aside")
    pretrain_adversarial_weight: float = not_negative(0.0, "weight of its term in pre-training", stored_as="theta_pre")
    pretrain_epochs: int = vocabulary.pretrain_epochs(50)  # released program
    epochs: int = vocabulary.epochs(30)  # released program
    budget: str = vocabulary.budget("paper", "each restart of pre-training, and the main phase", is_later=True)
    lr: float = vocabulary.lr(1e-3, "of both phases at their start; a tenth of it after every 20 epochs")  # paper
    discriminator_lr: float = positive(2e-4, "learning rate of the discriminator")  # released program
    n_init: int = vocabulary.n_init(20)  # released program
    tol: float | None = vocabulary.tol(None, "in an epoch of the main phase; null never ends it")
    exact_neighbour_cells: int = vocabulary.exact_neighbour_cells(20_000, "beyond, on n_components")
    n_components: int = vocabulary.n_components(50, "that distances are of beyond exact_neighbour_cells")
    attention: str = choice("auto", "exact", "series", "landmarks", "neighbors")(
        "auto",
        "over all cells, the same by a series whose error is below rounding (landmarks where scores are too large for "
        "it), over landmarks, or over neighbours; auto: exact, series beyond exact_attention_cells",
    )
    # The power of two below the size at which a kernel over all pairs takes as long as the rest of an epoch.
    exact_attention_cells: int = vocabulary.exact_attention_cells(
        4096, "beyond it by a series", earlier=20_000, up_to=20_000
    )
    n_landmarks: int = vocabulary.n_landmarks(2048)
    min_cell_share: FromVariant[float] = _A_SHARE_OF_CELLS(  # 0.01: paper
        0.01, "keep genes found in more than this share", stored_as="gene_filter", paper_code=0.0
    )
    input_transform: FromVariant[str] = choice("minmax_l2", "ceil_minmax_l2", "zscore_quantile_l2", "zscore")(
        "minmax_l2",
        "of the log-normalised values: range of each gene and unit length of each cell; the same after rounding up to "
        "whole levels; z-scores, quantiles, unit length; z-scores",
        paper_code="ceil_minmax_l2",
    )
    # sym: wording of the paper
    norm: FromVariant[str] = choice("sym", "row")("sym", "of the adjacency with self loops", paper_code="row")
    head_relu: FromVariant[bool] = switch(False, "whether logits of the graph's head pass a ReLU", paper_code=True)
    adversarial_weight: FromVariant[float] = not_negative(
        1e-4, "theta, weight of the adversarial term in the main phase", stored_as="theta", paper_code=0.5
    )
    # The next three defaults: paper.
    adv_loss: FromVariant[str] = choice("mse", "bce")("mse", "of the discriminator", paper_code="bce")
    prior_is_real: FromVariant[bool] = switch(True, "the discriminator calls the prior real", paper_code=False)
    live_latent: FromVariant[bool] = switch(True, "the adversarial term sees the current latent", paper_code=False)
    discriminator_norm: FromVariant[str] = choice("none", "batch")("none", "of the discriminator", paper_code="batch")
    batch_size: FromVariant[int] = vocabulary.batch_size(16, "pre-training", stored_as="pretrain_batch", paper_code=1)
    # With 50 epochs, sets below 800 cells would learn nothing in so few steps. 2500 is what 50 epochs of 16 cells are
    # at 800 cells, about the smallest set that the choice of 16 was tried on.
    pretrain_least_steps: FromVariant[int] = at_least(0)(
        2500,
        "a step takes fewer cells, at least one, where pre-training would have fewer steps; 0 is a fixed size",
        paper_code=0,
    )
    restarts: FromVariant[int] = at_least(1)(3, "pre-trained autoencoders, of which one is kept", paper_code=20)
    # Not the default: on simulated sets two of five times another restart was kept than full training keeps (README).
    trial_epochs: int = at_least(0)(
        0,
        "epochs of pre-training after which the restart of the best silhouette alone goes on; 0: all are trained to "
        "the end, and then it is chosen",
        is_later=True,
    )
    centroids_from: FromVariant[str] = choice("fused", "autoencoder")(
        "fused", "the latent of the first pass, or the one without the graph", paper_code="autoencoder"
    )

    def __post_init__(self) -> None:
        """Check what no field can say alone."""
        super().__post_init__()
        has_norm = self.pretrain_theta > 0 and self.discriminator_norm == "batch"
        if has_norm and self.batch_size < 2:
            raise ConfigError(
                "method.batch_size must be at least 2 for a batch norm with pretrain_adversarial_weight, "
                f"got {self.batch_size}"
            )

    @property
    def join(self) -> str:
        """How the latent meets the graph in the decoder: ``fusion``, and "none" without heads."""
        return "none" if self.fusion == "ca" and self.n_heads == 0 else self.fusion

    @property
    def main_theta(self) -> float:
        """Weight of the adversarial term in the main phase, 0 without a discriminator."""
        return self.adversarial_weight if self.adversarial else 0.0

    @property
    def pretrain_theta(self) -> float:
        """Weight of the adversarial term in pre-training, 0 without a discriminator."""
        return self.pretrain_adversarial_weight if self.adversarial else 0.0
