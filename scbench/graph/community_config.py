"""Settings shared by the community methods; imports no array library."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

from scbench import vocabulary
from scbench.errors import ConfigError
from scbench.fields import FromVariant, at_least, switch
from scbench.method import MethodConfig

__all__ = ["EXACT_NEIGHBOUR_CELLS", "CommunityConfig"]

EXACT_NEIGHBOUR_CELLS = 50_000  # 10 s of one x86_64 core when exact, and four times as much with twice as many cells


@dataclass(frozen=True)
class CommunityConfig(MethodConfig):
    """Settings of a community method.

    Giving a resolution says that it is to be used, so it sets ``match_k`` to false. A configuration always holds both
    values, as records and run keys need them; where ``match_k`` is true, ``resolution`` is the default and not used.
    """

    USES_TORCH: ClassVar[bool] = False
    RESPECTS_K: ClassVar[bool] = False
    CLUSTERS_EMBEDDINGS: ClassVar[bool] = True
    DEFAULT_RESOLUTION: ClassVar[float] = 1.0

    name: str = "???"
    match_k: FromVariant[bool] = switch(
        None,
        "search the resolution until the number of communities is as near to K as it gets, so that the method uses K "
        "like all others; false takes the resolution as it is and ignores K; null is true unless a resolution is given",
    )
    resolution: FromVariant[float] = vocabulary.resolution(
        None, "used where match_k is false; null is the default of the method", implies={"match_k": False}
    )
    n_neighbors: int = vocabulary.n_neighbors(20, "the cell itself is one of them", range=at_least(2))
    exact_neighbour_cells: int = vocabulary.exact_neighbour_cells(
        EXACT_NEIGHBOUR_CELLS, "beyond, 98 % of the true ones are found", is_later=True
    )
    n_components: int = vocabulary.n_components(20, "distances are measured on them")
    n_top_genes: int = vocabulary.n_top_genes(2000, "flavour seurat", stored_as="n_genes")

    def __post_init__(self) -> None:
        """Fill in what was not given, and check ranges."""
        match_k = self.resolution is None if self.match_k is None else self.match_k
        resolution = self.DEFAULT_RESOLUTION if self.resolution is None else self.resolution
        object.__setattr__(self, "match_k", match_k)
        object.__setattr__(self, "resolution", resolution)
        super().__post_init__()
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
