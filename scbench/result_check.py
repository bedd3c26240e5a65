"""Check what a method returned against the contract."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from scbench.method import Clustering

__all__ = ["check_clustering"]


def check_clustering(clustering: Clustering, n_cells: int) -> None:
    """Refuse a result that breaks the contract.

    Raises:
        TypeError: when it is not a ``Clustering`` of arrays, or labels are not integers.
        ValueError: when a shape is wrong, a label is negative, or ``soft`` does not sum to 1.
        FloatingPointError: when the embedding or the memberships hold NaN or infinity.
    """
    if not isinstance(clustering, Clustering):
        raise TypeError(f"fit_predict must return a Clustering, got {type(clustering).__name__}")
    labels = clustering.labels
    for name, array in (("labels", labels), ("embedding", clustering.embedding), ("soft", clustering.soft)):
        if not isinstance(array, np.ndarray) and not (array is None and name != "labels"):
            raise TypeError(f"{name} must be a numpy array, got {type(array).__name__}")
    if not isinstance(clustering.info, Mapping):
        raise TypeError(f"info must be a mapping, got {type(clustering.info).__name__}")
    if not np.issubdtype(labels.dtype, np.integer):
        raise TypeError(f"labels must be integers, got dtype {labels.dtype}")
    if labels.shape != (n_cells,):
        raise ValueError(f"labels must have shape ({n_cells},), one per input cell, got {labels.shape}")
    if labels.min() < 0:
        raise ValueError(f"labels must not be negative: {int((labels < 0).sum())} of {n_cells} are")
    if labels.max() > np.iinfo(np.int64).max:
        raise ValueError(f"labels must fit into int64, the largest is {labels.max()}")
    for name, array in (("embedding", clustering.embedding), ("soft", clustering.soft)):
        if array is None:
            continue
        if array.ndim != 2 or array.shape[0] != n_cells:
            raise ValueError(f"{name} must have shape ({n_cells}, d), got {array.shape}")
        if not np.isfinite(array).all():
            raise FloatingPointError(f"{name} holds {int((~np.isfinite(array)).sum())} values that are not finite")
    if clustering.soft is not None and not np.allclose(clustering.soft.sum(axis=1), 1, atol=1e-3):
        raise ValueError("the rows of soft must sum to 1")
