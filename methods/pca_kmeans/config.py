"""Configuration of PCA + k-means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scbench.errors import ConfigError
from scbench.method import MethodConfig

__all__ = ["PcaKmeansConfig"]


@dataclass(frozen=True)
class PcaKmeansConfig(MethodConfig):
    """Settings of PCA + k-means; the defaults are the field's usual ones, not tuned.

    Attributes:
        n_components: principal components.
        n_genes: variable genes (flavour seurat).
        n_init: k-means starts; the best inertia wins.
    """

    USES_TORCH: ClassVar[bool] = False

    name: str = "pca_kmeans"
    n_components: int = 20
    n_genes: int = 2000
    n_init: int = 20

    def __post_init__(self) -> None:
        """Check ranges."""
        super().__post_init__()
        for field in ("n_components", "n_genes", "n_init"):
            if getattr(self, field) < 1:
                raise ConfigError(f"method.{field} must be at least 1, got {getattr(self, field)}")
