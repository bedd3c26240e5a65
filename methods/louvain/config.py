"""Configuration of Louvain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scbench.graph.community_config import CommunityConfig

__all__ = ["LouvainConfig"]


@dataclass(frozen=True)
class LouvainConfig(CommunityConfig):
    """Settings of Louvain; ``CommunityConfig`` says what they mean."""

    DEFAULT_RESOLUTION: ClassVar[float] = 0.8

    name: str = "louvain"
