"""Two label vectors as one table of counts, kept as its non-zero entries only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["Contingency", "Labels", "cross_tabulate", "encode"]

Labels = np.ndarray | pd.Series | pd.Categorical | pd.Index | Sequence[Any]

# Tables of at most this many entries are counted by position, larger ones by sorting the keys.
_COUNT_BY_POSITION = 4_000_000


@dataclass(frozen=True)
class Contingency:
    """Joint counts of types and clusters.

    Attributes:
        types, clusters: (n_entries,) int64 codes of the non-zero entries, ordered by type, then cluster.
        counts: (n_entries,) int64, all positive.
        type_sizes: (n_types,) int64.
        cluster_sizes: (n_clusters,) int64.
        n_cells: number of cells.
    """

    types: np.ndarray
    clusters: np.ndarray
    counts: np.ndarray
    type_sizes: np.ndarray
    cluster_sizes: np.ndarray
    n_cells: int


def encode(labels: Labels, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return int64 codes (0, 1, ... in order of appearance) and the label that each code stands for.

    Args:
        labels: (n_cells,) strings, integers, floats, booleans or objects; array, Series, Categorical, Index or list.
        name: how to call the labels in a message.

    Raises:
        ValueError: if ``labels`` is not one-dimensional, is empty, or misses a value (NaN, None, NA, masked).
    """
    known = isinstance(labels, (np.ndarray, pd.Series, pd.Categorical, pd.Index))
    if hasattr(labels, "__array__") and not known:
        values: Any = np.asarray(labels)
    else:
        # A list goes through objects: numpy would turn a NaN among strings into the string "nan".
        values = labels if known else np.asarray(labels, dtype=object)
    if values.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, got {values.ndim} dimensions; pass one label per cell")
    if len(values) == 0:
        raise ValueError(f"{name} is empty; pass one label per cell")
    if isinstance(values, np.ndarray) and not values.dtype.isnative:
        values = values.astype(values.dtype.newbyteorder("="))
    try:
        codes, uniques = pd.factorize(values)
    except TypeError as error:
        raise ValueError(f"{name} must hold plain values such as strings or integers: {error}") from None
    missing = codes < 0
    if isinstance(values, np.ma.MaskedArray):
        missing |= np.ma.getmaskarray(values)
    if missing.any():
        raise ValueError(
            f"{name} has {int(missing.sum())} missing values, the first at position {int(missing.argmax())}; "
            "leave those cells out of both vectors"
        )
    return codes.astype(np.int64, copy=False), np.asarray(uniques, dtype=object)


def cross_tabulate(type_codes: np.ndarray, cluster_codes: np.ndarray) -> Contingency:
    """Return the contingency of two code vectors made by :func:`encode`.

    Memory follows the number of cells, never n_types x n_clusters when that is large.
    """
    n_cells = len(type_codes)
    type_sizes = np.bincount(type_codes)
    cluster_sizes = np.bincount(cluster_codes)
    n_clusters = len(cluster_sizes)
    keys = type_codes * n_clusters + cluster_codes
    if len(type_sizes) * n_clusters <= _COUNT_BY_POSITION:
        table = np.bincount(keys)
        filled = np.flatnonzero(table)
        counts = table[filled]
    else:
        filled, counts = np.unique(keys, return_counts=True)
    return Contingency(filled // n_clusters, filled % n_clusters, counts, type_sizes, cluster_sizes, n_cells)
