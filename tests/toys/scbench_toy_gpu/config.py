"""Configuration of the GPU toy."""

from __future__ import annotations

from dataclasses import dataclass

from scbench.method import MethodConfig


@dataclass(frozen=True)
class ToyGpuConfig(MethodConfig):
    """``folder`` is where running fits leave a mark, so that each sees how many share the GPU."""

    name: str = "toy_gpu"
    folder: str = "???"
    always_too_big: bool = False
