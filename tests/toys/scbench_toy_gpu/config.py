"""Configuration of the GPU toy."""

from __future__ import annotations

from dataclasses import dataclass

from scbench.method import MethodConfig


@dataclass(frozen=True)
class ToyGpuConfig(MethodConfig):
    """``folder`` is where fits leave marks, so that a retry knows itself and sees whether it is alone."""

    name: str = "toy_gpu"
    folder: str = "???"
    first_too_big: bool = False
    always_too_big: bool = False
