"""Louvain communities: igraph's community_multilevel on the neighbour graph."""

from __future__ import annotations

from typing import ClassVar

from scbench_methods.louvain.config import LouvainConfig

from scbench.graph.communities import Algorithm
from scbench.graph.community_method import CommunityMethod

__all__ = ["Louvain"]


class Louvain(CommunityMethod):
    """Louvain, by default with its resolution searched so that it finds K communities."""

    algorithm: ClassVar[Algorithm] = "louvain"

    def __init__(self, config: LouvainConfig | None = None) -> None:
        super().__init__(config or LouvainConfig())
