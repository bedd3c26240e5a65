"""Settings shared by the community methods; imports no array library."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from scbench.errors import ConfigError
from scbench.method import MethodConfig

__all__ = ["CommunityConfig"]


@dataclass(frozen=True)
class CommunityConfig(MethodConfig):
    """Settings of a community method.

    Attributes:
        match_k: whether the resolution is searched until the number of communities is as near to K as it gets, so
            that the method uses K like all others; otherwise ``resolution`` is used as it is and K is ignored.
        resolution: resolution of the modularity when ``match_k`` is false.
        n_neighbors: neighbours in the graph, the cell itself included.
        n_components: principal components that distances are measured on.
        n_genes: variable genes (flavour seurat).
    """

    USES_TORCH: ClassVar[bool] = False
    RESPECTS_K: ClassVar[bool] = False

    name: str = "???"
    match_k: bool = True
    resolution: float = 1.0
    n_neighbors: int = 20
    n_components: int = 20
    n_genes: int = 2000

    def __post_init__(self) -> None:
        """Check ranges."""
        super().__post_init__()
        for field in ("n_components", "n_genes"):
            if getattr(self, field) < 1:
                raise ConfigError(f"method.{field} must be at least 1, got {getattr(self, field)}")
        if self.n_neighbors < 2:
            raise ConfigError(
                f"method.n_neighbors counts the cell itself and must be at least 2, got {self.n_neighbors}"
            )
        if not (self.resolution > 0 and math.isfinite(self.resolution)):
            raise ConfigError(f"method.resolution must be a positive number, got {self.resolution}")
