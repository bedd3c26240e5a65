"""The steps that turn counts into a method's input, as a value; imports no array library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scbench.errors import ConfigError
from scbench.names import check_choice

__all__ = ["STANDARD_RECIPE", "HvgFlavor", "Recipe"]

HvgFlavor = Literal["seurat", "seurat_v3", "std"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """The steps of :func:`scbench.preprocessing.prepare.prepare`, in this order.

    Attributes:
        round_counts: make counts whole: "round" to the nearest, "ceil" upwards, None leaves them.
        min_cells: keep genes found in at least so many cells; genes whose counts sum to less than 1 always go.
        target: library size that cells are scaled to; "median" over the non-empty cells, None for no scaling.
        log1p: take ln(1 + x).
        hvg: keep so many variable genes, None for all. Fewer genes than that are all kept.
        hvg_flavor: "seurat" or "seurat_v3" as in scanpy, or "std": largest standard deviation of x.
        ceil_log: round x up to whole levels.
        scale: z-score each gene (ddof 1, a standard deviation of 0 counts as 1).
        clip: cut z-scores to [-clip, clip]; None leaves them.
        quantile: map each gene to uniform quantiles in [0, 1].
        minmax: map each "gene" or each "cell" to [0, 1]; a constant one to 0.
        l2_cell: scale each cell to unit length; an all-zero cell stays.
    """

    round_counts: Literal["round", "ceil"] | None = None
    min_cells: int = 0
    target: Literal["median"] | float | None = "median"
    log1p: bool = True
    hvg: int | None = None
    hvg_flavor: HvgFlavor = "seurat"
    ceil_log: bool = False
    scale: bool = False
    clip: float | None = None
    quantile: bool = False
    minmax: Literal["gene", "cell"] | None = None
    l2_cell: bool = False

    def __post_init__(self) -> None:
        """Check every field."""
        if self.round_counts is not None:
            check_choice("round_counts", self.round_counts, ("round", "ceil"))
        check_choice("hvg_flavor", self.hvg_flavor, ("seurat", "seurat_v3", "std"))
        if self.minmax is not None:
            check_choice("minmax", self.minmax, ("gene", "cell"))
        if self.min_cells < 0:
            raise ConfigError(f"min_cells must be at least 0, got {self.min_cells}")
        if isinstance(self.target, str):
            check_choice("target", self.target, ("median",))
        elif self.target is not None and not 0 < self.target < float("inf"):
            raise ConfigError(f"target must be 'median', a positive number or None, got {self.target}")
        if self.hvg is not None and self.hvg < 1:
            raise ConfigError(f"hvg must be at least 1, or None for all genes, got {self.hvg}")
        if self.clip is not None and not self.clip > 0:
            raise ConfigError(f"clip must be positive, or None, got {self.clip}")
        if self.clip is not None and not self.scale:
            raise ConfigError(f"clip = {self.clip} cuts z-scores; set scale=True or clip=None")

    @property
    def gives_dense(self) -> bool:
        """Whether the recipe ends in a matrix without zeros to leave out."""
        return self.scale or self.quantile or self.minmax is not None


# The standard workflow of the field (Seurat and scanpy tutorials): what PCA + k-means, Leiden and Louvain start from.
STANDARD_RECIPE = Recipe(min_cells=3, target=1e4, hvg=2000, scale=True, clip=10.0)
