"""Two label vectors as one table of counts, kept as its non-zero entries only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Contingency", "Labels", "cross_tabulate", "encode"]

Labels: TypeAlias = "np.ndarray | pd.Series | pd.Categorical | pd.Index | Sequence[Any]"

# Tables of at most this many entries are counted by position, larger ones by sorting the keys.
_COUNT_BY_POSITION = 4_000_000
# Up to so many integers or strings are sorted sooner than pandas is imported, which takes 0.2 s.
_ENCODE_BY_SORTING = 20_000


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
    # No value of these types can be missing; a masked array, which is of another class, can miss one.
    is_plain = type(labels) is np.ndarray and labels.dtype.kind in "iuU" and labels.ndim == 1
    if is_plain and 0 < len(labels) <= _ENCODE_BY_SORTING:
        return _by_sorting(np.asarray(labels))
    import pandas as pd

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


def _by_sorting(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return :func:`encode` of integers or strings, as pandas gives it."""
    values, first, places = np.unique(labels, return_index=True, return_inverse=True)
    by_appearance = np.argsort(first)
    codes = np.empty(len(values), dtype=np.int64)
    codes[by_appearance] = np.arange(len(values))
    return codes[places], values[by_appearance].astype(object)


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
