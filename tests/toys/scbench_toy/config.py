"""Configuration of the toy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scbench.errors import ConfigError
from scbench.method import MethodConfig


@dataclass(frozen=True)
class ToyTrain:
    """Settings that do nothing but be set."""

    rate: float = 0.1
    steps: int = 10

    def __post_init__(self) -> None:
        if not 0 < self.rate <= 1:
            raise ConfigError(f"method.train.rate must be in (0, 1], got {self.rate}")


@dataclass(frozen=True)
class ToyConfig(MethodConfig):
    """What the toy does, and for which seed (-1 = all) it does not simply work.

    ``trace`` names a file to which every fit appends its seed.
    """

    USES_TORCH: ClassVar[bool] = False

    name: str = "toy"
    behaviour: str = "ok"
    bad_seed: int = -1
    seconds: float = 0.0
    trace: str = ""
    train: ToyTrain = ToyTrain()
