"""Arguments of a call in Python that are wrong whatever the cells are, refused before anything is read."""

from __future__ import annotations

import re
from numbers import Integral

from scbench.errors import ConfigError
from scbench.method import MethodConfig

__all__ = ["check_numbers", "device_of"]


def check_numbers(n_clusters: object, seed: object, n_seeds: object) -> None:
    """Refuse what is no whole number where one belongs; K is compared with the cells when they are at hand.

    Raises:
        ConfigError: of ``n_clusters`` or ``n_seeds``.
        ValueError: of ``seed``.
    """
    if not _is_whole(n_clusters) and not (isinstance(n_clusters, str) and n_clusters == "estimate"):
        raise ConfigError(f'n_clusters must be a whole number or "estimate", got {n_clusters!r}')
    if not _is_whole(seed) or seed < 0:  # type: ignore[operator]  # it is a number
        raise ValueError(f"seed must be at least 0, got {seed!r}")
    if not _is_whole(n_seeds) or n_seeds < 1:  # type: ignore[operator]  # it is a number
        raise ConfigError(f"n_seeds must be a whole number of at least 1, got {n_seeds!r}")


def device_of(device: str, config: MethodConfig) -> str:
    """Return the device that a method is given.

    Args:
        device: ``cpu``, ``auto`` (the first GPU where the method uses torch and there is one), or a CUDA device.
        config: of the method.

    Raises:
        ConfigError: it is none, or not here.
    """
    if not isinstance(device, str) or re.fullmatch(r"auto|cpu|cuda(:\d+)?", device) is None:
        raise ConfigError(f'device must be "auto", "cpu" or a CUDA device such as "cuda:0", got {device!r}')
    if device == "cpu" or not config.USES_TORCH:
        return "cpu"
    import torch

    n_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device == "auto":
        return "cuda:0" if n_gpus else "cpu"
    number = int(device.partition(":")[2] or 0)
    if number >= n_gpus:
        raise ConfigError(f'device={device!r} is not here ({n_gpus} CUDA devices are); use device="cpu" or "auto"')
    return device


def _is_whole(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)
