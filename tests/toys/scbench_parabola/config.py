"""Configuration of the toy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from scbench.errors import ConfigError
from scbench.method import MethodConfig


@dataclass(frozen=True)
class Inner:
    """A parameter one level down."""

    y: float = 0.0


@dataclass(frozen=True)
class ParabolaConfig(MethodConfig):
    """The best is x = 0.3 and inner.y = -0.5; ``noise`` times the distance of x is the share of wrong labels.

    ``trace`` names a file to which every fit appends its seed and x.
    """

    USES_TORCH: ClassVar[bool] = False

    name: str = "parabola"
    x: float = 0.0
    inner: Inner = field(default_factory=Inner)
    kind: str = "round"
    epochs: int = 20
    noise: float = 1.0
    seconds: float = 0.0
    trace: str = ""
    collapse_above: float = 2.0
    diverge_above: float = 2.0
    hang_seed: int = -1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.x + self.inner.y > 1.9:
            raise ConfigError(f"x + inner.y must be at most 1.9, got {self.x + self.inner.y}")
