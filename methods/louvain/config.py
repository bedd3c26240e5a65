"""Configuration of Louvain."""

from __future__ import annotations

from dataclasses import dataclass

from scbench.community_config import CommunityConfig

__all__ = ["LouvainConfig"]


@dataclass(frozen=True)
class LouvainConfig(CommunityConfig):
    """Settings of Louvain; ``CommunityConfig`` says what they mean."""

    name: str = "louvain"
    resolution: float = 0.8
