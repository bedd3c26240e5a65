"""A cloud of points without clusters that has the size, the place, the covariance and the tails of a cloud of cells."""

from __future__ import annotations

import numpy as np

__all__ = ["structureless"]

_FLAT = 1e-6  # of the largest standard deviation: an axis that is rounding


def structureless(points: np.ndarray, depth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return as many points of one elliptical cloud with the mean and the covariance of ``points``.

    Points are standardised along their principal axes. Each new one gets a direction drawn uniformly, and the distance
    from the centre that one of the cells has there: the cell at the same rank by its angle with the direction in
    which depth grows, since shallow cells are noisier and lie further out than deep ones. The new points are
    standardised again (by the nearest matrix with orthonormal columns), since few points drawn from a covariance have
    another, with wider and narrower axes; then they are put back on the axes. So the cloud is as wide along each axis
    as the cells are, and nearly has their outliers, but thins out from one centre in all directions.

    What cells share without types stays in: depth, cell cycle, gradients, and any dependence between genes that
    spreads cells evenly. A null of independent genes with the same means has none of it, and cells beat it without
    types.

    Args:
        points: (n_cells, n_components) float, at least two rows.
        depth: (n_cells,) float, log of each cell's total.
        rng: draws directions.

    Returns:
        (n_cells, n_components) float32; the centre for all when the points do not differ.

    Source: the covariance as in Liu et al. 2008 (SigClust), whose cloud is Gaussian; the distances are ours, since
    scores of cells have heavier tails than that.
    """
    centre = points.mean(axis=0, dtype=np.float64)
    rows, widths, axes = np.linalg.svd(points - centre, full_matrices=False)
    kept = widths > _FLAT * widths[0]
    if not kept.any():
        return np.asarray(np.broadcast_to(centre, points.shape), dtype=np.float32)
    radii = np.linalg.norm(rows[:, kept], axis=1)
    directions = rng.normal(size=(len(points), int(kept.sum())))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    deeper = rows[:, kept].T @ (depth - depth.mean())
    radii_by_angle = radii[np.argsort(rows[:, kept] @ deeper / np.maximum(radii, 1e-12), kind="stable")]
    drawn = directions * radii_by_angle[np.argsort(np.argsort(directions @ deeper))][:, None]
    left, _, right = np.linalg.svd(drawn - drawn.mean(axis=0), full_matrices=False)
    return np.asarray(centre + (left @ right) * widths[kept] @ axes[kept], dtype=np.float32)
