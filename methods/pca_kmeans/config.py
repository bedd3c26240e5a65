"""Configuration of PCA + k-means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scbench import vocabulary
from scbench.method import MethodConfig

__all__ = ["PcaKmeansConfig"]


@dataclass(frozen=True)
class PcaKmeansConfig(MethodConfig):
    """Settings of PCA + k-means; the defaults are the field's usual ones, not tuned."""

    USES_TORCH: ClassVar[bool] = False
    CLUSTERS_EMBEDDINGS: ClassVar[bool] = True

    name: str = "pca_kmeans"
    n_components: int = vocabulary.n_components(20)
    n_top_genes: int = vocabulary.n_top_genes(2000, "flavour seurat", stored_as="n_genes")
    n_init: int = vocabulary.n_init(20)
