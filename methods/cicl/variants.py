"""What the variants of CICL differ in; imports no array library."""

from __future__ import annotations

from dataclasses import dataclass, replace

from scbench.errors import ConfigError
from scbench.names import check_choice

__all__ = ["VARIANTS", "Settings"]


@dataclass(frozen=True)
class Settings:
    """The settings that follow from ``method.variant`` where a command does not give them; defaults are "default"'s.

    Attributes:
        epochs: most passes over the cells.
        stop: "labels" ends the training when the pseudo-labels have settled, "none" only after ``epochs``.
        noise: "gaussian" (on some genes of each cell) or "unit_interval" (the paper's wording).
        resample_views: draw the two views anew in each step, or once before the first.
        attention_residual: "double" or "single" (paper, eq. 5).
        block_init: initial weights of the encoder's blocks, "independent" or "copies".
        head_hidden: width of the projection head's hidden layer.
        centroids: "full" re-estimates them on all cells between epochs, "batch" on each mini-batch, "frozen" never.
        instance_loss: "both_views" (NT-Xent) or "cross_view" (from view 1 to view 2 only).
        cluster_positive: "logsumexp", "mean_log" or "own_pair"; see ``losses.contrast``.
        cluster_reduction: "mean" over cells, or "sum_of_cluster_means".
        final_start: starts of the final k-means, "k-means++" or "random".
        final_n_init: how many of them.
    """

    epochs: int = 1000  # section "implementation details"
    stop: str = "labels"
    noise: str = "gaussian"
    resample_views: bool = True
    attention_residual: str = "double"
    block_init: str = "independent"
    head_hidden: int = 2048
    centroids: str = "full"
    instance_loss: str = "both_views"
    cluster_positive: str = "logsumexp"
    cluster_reduction: str = "mean"
    final_start: str = "k-means++"
    final_n_init: int = 10

    def __post_init__(self) -> None:
        """Check choices and ranges."""
        for field, choices in _CHOICES.items():
            check_choice(f"value of method.{field}", getattr(self, field), choices)
        for field in ("head_hidden", "final_n_init"):
            if getattr(self, field) < 1:
                raise ConfigError(f"method.{field} must be at least 1, got {getattr(self, field)}")
        if self.epochs < 0:
            raise ConfigError(f"method.epochs must be at least 0, got {self.epochs}; 0 clusters the untrained encoder")
        if self.stop == "labels" and self.centroids != "full":
            raise ConfigError(
                f"method.stop=labels watches the pseudo-labels of all cells, which centroids={self.centroids} does not "
                "re-estimate; use stop=none or centroids=full"
            )


_CHOICES = {
    "stop": ("labels", "none"),
    "noise": ("gaussian", "unit_interval"),
    "attention_residual": ("double", "single"),
    "block_init": ("independent", "copies"),
    "centroids": ("full", "batch", "frozen"),
    "instance_loss": ("both_views", "cross_view"),
    "cluster_positive": ("logsumexp", "mean_log", "own_pair"),
    "cluster_reduction": ("mean", "sum_of_cluster_means"),
    "final_start": ("k-means++", "random"),
}

VARIANTS: dict[str, Settings] = {
    "default": Settings(),
    # Where the text of the paper and the released program differ and the default goes with the program.
    "paper_text": replace(Settings(), noise="unit_interval", attention_residual="single", head_hidden=1024),
    "paper_code": Settings(
        epochs=51,  # the program's 50, counted from 0 to 50
        stop="none",
        resample_views=False,
        block_init="copies",
        centroids="frozen",
        instance_loss="cross_view",
        cluster_positive="own_pair",
        cluster_reduction="sum_of_cluster_means",
        final_start="random",
        final_n_init=8,
    ),
}
