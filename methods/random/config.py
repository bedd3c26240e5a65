"""Configuration of the random partition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scbench.method import MethodConfig

__all__ = ["RandomConfig"]


@dataclass(frozen=True)
class RandomConfig(MethodConfig):
    """The random partition has nothing to set."""

    USES_TORCH: ClassVar[bool] = False

    name: str = "random"
