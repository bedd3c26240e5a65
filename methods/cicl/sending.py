"""Small vectors from the host to the device, without waiting for what the device still has to do."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["send"]


def send(tensor: Tensor, device: torch.device) -> Tensor:
    """Return a CPU tensor on the device; on a GPU the copy is queued, from memory that it may be queued from."""
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)
