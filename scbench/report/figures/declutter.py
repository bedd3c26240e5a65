"""Labels moved apart until none covers another."""

from __future__ import annotations

import numpy as np

__all__ = ["spread_boxes", "spread_line"]

_ROUNDS = 3000


def spread_line(wanted: np.ndarray, gap: float, low: float, high: float) -> np.ndarray:
    """Return positions on a line at least ``gap`` apart and as near to the wanted ones as that allows.

    Neighbours that collide are joined and centred on their mean, which is the least-squares answer; the order stays.

    Args:
        wanted: (n,) positions.
        gap: least distance; made smaller when n of them do not fit between ``low`` and ``high``.
        low, high: ends of the line.
    """
    n = len(wanted)
    if n == 0:
        return np.empty(0)
    step = min(gap, (high - low) / max(n - 1, 1))
    order = np.argsort(wanted, kind="stable")
    # With the gaps taken out, positions only have to rise: isotonic regression by pooling neighbours.
    flat = wanted[order] - step * np.arange(n)
    blocks: list[list[float]] = []  # mean and size
    for value in flat:
        blocks.append([float(value), 1.0])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            mean, size = blocks.pop()
            blocks[-1] = [(blocks[-1][0] * blocks[-1][1] + mean * size) / (blocks[-1][1] + size), blocks[-1][1] + size]
    pooled = np.concatenate([np.full(int(size), mean) for mean, size in blocks])
    placed = np.clip(pooled, low, high - step * (n - 1)) + step * np.arange(n)
    out = np.empty(n)
    out[order] = placed
    return out


def spread_boxes(centres: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return centres of boxes pushed apart along the axis of least overlap until none covers another.

    Args:
        centres: (n, 2) wanted centres.
        sizes: (n, 2) width and height of the boxes, in the same unit.
    """
    moved = centres.astype(float).copy()
    # Equal centres have no direction to part in.
    moved += 1e-6 * np.stack([np.cos(np.arange(len(moved))), np.sin(np.arange(len(moved)))], axis=1)
    for _ in range(_ROUNDS):
        delta = moved[:, None] - moved
        need = (sizes[:, None] + sizes) / 2
        overlap = need - np.abs(delta)
        hit = (overlap > 1e-9).all(axis=2) & ~np.eye(len(moved), dtype=bool)
        if not hit.any():
            break
        axis = overlap.argmin(axis=2)
        push = np.where(hit, np.take_along_axis(overlap, axis[..., None], 2)[..., 0] / 2 + 1e-3, 0.0)
        sign = np.sign(np.take_along_axis(delta, axis[..., None], 2)[..., 0])
        for side in (0, 1):
            moved[:, side] += 0.5 * (push * sign * (axis == side)).sum(axis=1)
    return moved
