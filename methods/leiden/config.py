"""Configuration of Leiden."""

from __future__ import annotations

from dataclasses import dataclass

from scbench.graph.community_config import CommunityConfig

__all__ = ["LeidenConfig"]


@dataclass(frozen=True)
class LeidenConfig(CommunityConfig):
    """Settings of Leiden; ``CommunityConfig`` says what they mean."""

    name: str = "leiden"
