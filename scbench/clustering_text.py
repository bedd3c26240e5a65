"""Say in three lines what a clustering is, whatever it holds: it is printed while a method is being debugged, too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scbench.method import Clustering

__all__ = ["clustering_text"]

_LINE_AT_MOST = 110
_VALUE_AT_MOST = 30


def clustering_text(clustering: Clustering) -> str:
    """Return three lines: cells and clusters, shapes of embedding and memberships, what the method decided.

    No array is printed, and no value is asked to print itself but numbers and texts: those of others may fail.

    Args:
        clustering: of any content, also such as breaks the contract.
    """
    return "\n".join(
        [
            f"Clustering: {_cells(clustering.labels)}",
            f"embedding: {_shape(clustering.embedding)}; soft: {_shape(clustering.soft)}",
            f"info: {_decided(clustering.info)}",
        ]
    )


def _cells(labels: object) -> str:
    """Return the numbers of cells and clusters, and the range of their sizes."""
    if not isinstance(labels, np.ndarray) or labels.ndim != 1 or labels.dtype.kind not in "iu":
        return f"labels are {_shape(labels)} where (n_cells,) integers belong"
    sizes = np.unique(labels, return_counts=True)[1]
    clusters = "1 cluster" if len(sizes) == 1 else f"{len(sizes)} clusters"
    found = f"{len(labels)} cells in {clusters}"
    return f"{found} (sizes {sizes.min()} to {sizes.max()})" if len(sizes) > 1 else found


def _shape(value: object) -> str:
    """Return shape and type of an array, or of what type a value is that is none."""
    if value is None:
        return "none"
    if not isinstance(value, np.ndarray):
        return f"no array but {type(value).__name__}"
    return f"{value.shape} {value.dtype}"


def _decided(info: object) -> str:
    """Return the decided values that one line has room for, and how many more there are."""
    if not isinstance(info, Mapping):
        return f"no mapping but {type(info).__name__}"
    shown: list[str] = []
    length = 0
    for name, value in info.items():
        entry = f"{_shortened(name)}={_value(value)}"
        length += len(entry) + 2
        if length > _LINE_AT_MOST:
            return ", ".join([*shown, f"and {len(info) - len(shown)} more"])
        shown.append(entry)
    return ", ".join(shown) or "none"


def _value(value: object) -> str:
    """Return a number or text, and the shape or size of what holds several."""
    if value is None or isinstance(value, bool | np.bool_):
        return str(value)
    if isinstance(value, int | float | np.integer | np.floating):
        return f"{value:.6g}" if isinstance(value, float | np.floating) else str(int(value))
    if isinstance(value, str):
        return _shortened(value)
    if isinstance(value, np.ndarray):
        return _shape(value)
    return f"{type(value).__name__} of {len(value)}" if isinstance(value, list | tuple | dict) else type(value).__name__


def _shortened(value: object) -> str:
    """Return a text on one line, cut where it is long; of another kind of name, its type."""
    text = " ".join(value.split()) if isinstance(value, str) else type(value).__name__
    return text if len(text) <= _VALUE_AT_MOST else f"{text[: _VALUE_AT_MOST - 3]}..."
