"""Numbers as base64 bytes: 255 steps between the smallest and the largest, which is finer than a small drawing."""

from __future__ import annotations

import base64

import numpy as np

__all__ = ["STEPS", "encoded", "steps"]

STEPS = 255


def steps(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return values as uint8: 0 is ``low``, 255 is ``high``.

    Args:
        values: any shape, finite, within ``low`` and ``high``.
        low, high: finite; equal ones give 0 everywhere.
    """
    span = high - low
    scaled = (values - low) / span if span > 0 else np.zeros_like(values, dtype=float)
    return np.round(scaled * STEPS).astype(np.uint8)


def encoded(values: np.ndarray) -> str:
    """Return uint8 values of any shape, row by row, as base64."""
    return base64.b64encode(np.ascontiguousarray(values, dtype=np.uint8).tobytes()).decode("ascii")
