"""The matrices of an AnnData file, old or new, of h5py or zarr: X, raw and the layers."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from scbench.data.readers.declared import check_stored
from scbench.data.readers.hdf5_columns import is_group
from scbench.errors import DataError
from scbench.names import nearest

__all__ = ["choose_matrix", "counts_elsewhere"]

_SAMPLE = 100_000  # stored values that are looked at
_LIST_AT_MOST = 20


def choose_matrix(file: Any, wanted: str | None, shown: str) -> str:
    """Return the place of ``X`` (also for None), ``raw`` or a layer in the file.

    Raises:
        DataError: if there is no such matrix; lists those there, and the nearest.
    """
    places = _places(file)
    name = wanted or "X"
    if name in places:
        return places[name]
    close = nearest(name, places)
    hint = f" Did you mean {close!r}?" if close else ""
    listed = ", ".join(list(places)[:_LIST_AT_MOST]) or "none"
    raise DataError(
        f"{shown} has no matrix {name!r}.{hint} Matrices there: {listed}. Set dataset.matrix to one of them"
    )


def counts_elsewhere(file: Any, matrix: csr_matrix, shown: str) -> tuple[str, ...]:
    """Return a warning when ``matrix``, read from X, holds no counts and the file has other matrices.

    Only the first stored values are looked at.
    """
    others = {name: place for name, place in _places(file).items() if name != "X"}
    values = matrix.data[:_SAMPLE]
    if not others or _are_counts(values):
        return ()
    kind = "negative" if (values < 0).any() else "non-integer"
    layers = ", ".join(repr(name) for name, place in others.items() if place.startswith("layers/"))
    found = ["raw"] if "raw" in others and not others["raw"].startswith("layers/") else []
    found += [f"{'layers' if ', ' in layers else 'layer'} {layers}"] if layers else []
    whole = [name for name, place in others.items() if _are_counts(_first_values(file[place], shown))]
    best = "counts" if "counts" in whole else (whole or list(others))[0]
    return (
        f"{shown}: X holds {kind} values; {' and '.join(found)} {'is' if len(others) == 1 else 'are'} there: "
        f"dataset.matrix={best} reads {'whole numbers' if whole else 'it' if len(others) == 1 else 'that one'}",
    )


def _places(file: Any) -> dict[str, str]:
    """Return name -> place of every matrix in the file."""
    places = {"X": "X", "raw": "raw/X" if is_group(file.get("raw")) else "raw.X"}
    places = {name: place for name, place in places.items() if _is_matrix(file.get(place))}
    layers = file.get("layers")
    for name in layers if is_group(layers) else ():
        if _is_matrix(layers.get(name)):
            places.setdefault(name, f"layers/{name}")
    return places


def _is_matrix(item: object) -> bool:
    # anndata stores a missing X as an empty dataset, whose shape is None.
    return is_group(item) or getattr(item, "shape", None) is not None


def _first_values(item: Any, file: str) -> np.ndarray | None:
    """Return some stored values, or None where there are no numbers."""
    values = item.get("data") if is_group(item) else item
    if is_group(values) or getattr(values, "ndim", None) not in (1, 2) or values.dtype.kind not in "iufb":
        return None
    check_stored(values, file)
    per_row = 1 if values.ndim == 1 else max(1, values.shape[1])
    return np.asarray(values[: max(1, _SAMPLE // per_row)])


def _are_counts(values: np.ndarray | None) -> bool:
    return values is not None and bool((values >= 0).all() and (values == np.rint(values)).all())
