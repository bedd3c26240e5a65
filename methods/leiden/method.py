"""Leiden communities: igraph's community_leiden (modularity, two iterations) on the neighbour graph."""

from __future__ import annotations

from typing import ClassVar

from scbench_methods.leiden.config import LeidenConfig

from scbench.graph.communities import Algorithm
from scbench.graph.community_method import CommunityMethod

__all__ = ["Leiden"]


class Leiden(CommunityMethod):
    """Leiden, by default with its resolution searched so that it finds K communities."""

    algorithm: ClassVar[Algorithm] = "leiden"

    def __init__(self, config: LeidenConfig | None = None) -> None:
        super().__init__(config or LeidenConfig())
