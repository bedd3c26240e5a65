"""Check what a method returned against the contract."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from scbench.method import Clustering

__all__ = ["check_arrays", "check_clustering"]


def check_clustering(clustering: Clustering, n_cells: int) -> Clustering:
    """Return a result as plain arrays after a look at whether it keeps the contract.

    Everything is read once and copied before it is looked at: an array of a class of its own could answer each
    question differently.

    Args:
        clustering: what a method returned; labels of any integer type.
        n_cells: how many labels it must have.

    Returns:
        The same with int64 labels, and arrays that belong to nobody else.

    Raises:
        TypeError: when it is not a ``Clustering`` of arrays, or labels are not integers.
        ValueError: when a shape is wrong, a label is negative, or ``soft`` does not sum to 1.
        FloatingPointError: when the embedding or the memberships hold NaN or infinity.
    """
    if not issubclass(type(clustering), Clustering):
        raise TypeError(f"fit_predict must return a Clustering, got {type(clustering).__name__}")
    labels = _plain("labels", clustering.labels)
    embedding, soft, info = clustering.embedding, clustering.soft, clustering.info
    embedding = None if embedding is None else _plain("embedding", embedding)
    soft = None if soft is None else _plain("soft", soft)
    if not isinstance(info, Mapping):
        raise TypeError(f"info must be a mapping, got {type(info).__name__}")
    check_arrays(labels, embedding, soft, n_cells)
    return Clustering(labels.astype(np.int64, copy=False), embedding, soft, dict(info))


def check_arrays(
    labels: np.ndarray | None, embedding: np.ndarray | None, soft: np.ndarray | None, n_cells: int
) -> None:
    """Refuse plain arrays that break the contract; raises what :func:`check_clustering` does."""
    if labels is None:
        raise TypeError("labels must be a numpy array, got none")
    if not np.issubdtype(labels.dtype, np.integer):
        raise TypeError(f"labels must be integers, got dtype {labels.dtype}")
    if labels.shape != (n_cells,):
        raise ValueError(f"labels must have shape ({n_cells},), one per input cell, got {labels.shape}")
    if labels.min() < 0:
        raise ValueError(f"labels must not be negative: {int((labels < 0).sum())} of {n_cells} are")
    if labels.max() > np.iinfo(np.int64).max:
        raise ValueError(f"labels must fit into int64, the largest is {labels.max()}")
    for name, array in (("embedding", embedding), ("soft", soft)):
        if array is None:
            continue
        if array.dtype.kind not in "biuf":
            raise TypeError(f"{name} must hold numbers, got dtype {array.dtype}")
        if array.ndim != 2 or array.shape[0] != n_cells:
            raise ValueError(f"{name} must have shape ({n_cells}, d), got {array.shape}")
        if not np.isfinite(array).all():
            raise FloatingPointError(f"{name} holds {int((~np.isfinite(array)).sum())} values that are not finite")
    if soft is not None and not np.allclose(soft.sum(axis=1), 1, atol=1e-3):
        raise ValueError("the rows of soft must sum to 1")


def _plain(name: str, array: np.ndarray) -> np.ndarray:
    """Return a copy of an array, of no subclass: whatever its class says or answers, the copy is of its memory."""
    if not issubclass(type(array), np.ndarray):
        raise TypeError(f"{name} must be a numpy array, got {type(array).__name__}")
    plain = np.array(np.ndarray.view(array, np.ndarray), copy=True, subok=False)
    if type(plain) is not np.ndarray:
        raise TypeError(f"{name} must be a numpy array, got {type(array).__name__}")
    return plain
