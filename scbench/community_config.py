"""Settings shared by the community methods; imports no array library."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import ClassVar

from scbench.errors import ConfigError
from scbench.method import MethodConfig

__all__ = ["CommunityConfig"]


@dataclass(frozen=True)
class CommunityConfig(MethodConfig):
    """Settings of a community method.

    Giving a resolution says that it is to be used, so it sets ``match_k`` to false. A configuration always holds both
    values, as records and run keys need them; where ``match_k`` is true, ``resolution`` is the default and not used.

    Attributes:
        match_k: whether the resolution is searched until the number of communities is as near to K as it gets, so
            that the method uses K like all others; otherwise ``resolution`` is used as it is and K is ignored. None:
            true unless a resolution is given.
        resolution: resolution of the modularity when ``match_k`` is false. None: ``DEFAULT_RESOLUTION``.
        n_neighbors: neighbours in the graph, the cell itself included.
        n_components: principal components that distances are measured on.
        n_genes: variable genes (flavour seurat).
    """

    USES_TORCH: ClassVar[bool] = False
    RESPECTS_K: ClassVar[bool] = False
    DEFAULT_RESOLUTION: ClassVar[float] = 1.0

    name: str = "???"
    match_k: bool | None = None
    resolution: float | None = field(default=None, metadata={"implies": {"match_k": False}})
    n_neighbors: int = 20
    n_components: int = 20
    n_genes: int = 2000

    def __post_init__(self) -> None:
        """Fill in what was not given, and check ranges."""
        super().__post_init__()
        match_k = self.resolution is None if self.match_k is None else self.match_k
        resolution = self.DEFAULT_RESOLUTION if self.resolution is None else self.resolution
        object.__setattr__(self, "match_k", match_k)
        object.__setattr__(self, "resolution", resolution)
        for name in ("n_components", "n_genes"):
            if getattr(self, name) < 1:
                raise ConfigError(f"method.{name} must be at least 1, got {getattr(self, name)}")
        if self.n_neighbors < 2:
            raise ConfigError(
                f"method.n_neighbors counts the cell itself and must be at least 2, got {self.n_neighbors}"
            )
        if not (resolution > 0 and math.isfinite(resolution)):
            raise ConfigError(f"method.resolution must be a positive number, got {resolution}")
        if resolution != self.DEFAULT_RESOLUTION:  # the default may be of a record, where nobody has given it
            self.check_given(("resolution",))

    def check_given(self, given: Collection[str]) -> None:
        """Refuse a resolution that is given and would not be used."""
        if self.match_k and "resolution" in given:
            raise ConfigError(
                f"method.match_k=true searches the resolution, so method.resolution={self.resolution:g} would not be "
                "used; leave out method.match_k to use that resolution, or method.resolution to have one searched"
            )

    @property
    def fixed_resolution(self) -> float | None:
        """The resolution that is used as it is; None where it is searched."""
        return None if self.match_k else self.resolution
