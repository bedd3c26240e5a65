"""Embeddings for the page: a sample of cells in two dimensions, quantised, and within a budget."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from scbench.metrics.contingency import encode
from scbench.report.content import Content
from scbench.report.figures.embedding import sample_cells
from scbench.report.figures.matching import match
from scbench.report.figures.true_types import Truth
from scbench.report.html.quantised import STEPS, encoded, steps
from scbench.store.stored_arrays import stored_array
from scbench.tables.cell import Cell

__all__ = ["point_list", "principal_plane"]

_BUDGET = 600_000  # bytes of points, before base64
_CELLS = (100, 800)  # drawn of a run: at least, at most
_BYTES = 3  # of a cell: two coordinates and its cluster
_TABLE_ENTRIES = 60_000  # of all confusion tables together
Layouts = Mapping[str, tuple[np.ndarray, np.ndarray]]


def point_list(content: Content, truths: Mapping[str, Truth], layouts: Layouts, layout: str) -> dict[str, Any]:
    """Return the embedding of each cell's first ok run that has labels, by position of the cell (``cell_places``).

    Coordinates are those of the figures where there are any, and the first two principal components otherwise.

    Args:
        content: of the report.
        truths: the labels that are at hand, by dataset.
        layouts: positions and coordinates of the cells that figures show, by key of the run.
        layout: name of theirs.

    Returns:
        ``cells``: by position the seed, how the points were laid out, base64 of x, y and cluster of each drawn cell,
        and per cluster its name, size and the type it is matched to (-1 for none; null where types are not at hand);
        ``types``: by dataset names, and the type of each drawn cell of each run.
    """
    all_cells = [entry.cells[dataset] for entry in content.entries for dataset in sorted(entry.cells)]
    n_runs = max(sum(bool(cell.ok) for cell in all_cells), 1)
    at_most = int(np.clip(_BUDGET // (n_runs * _BYTES), *_CELLS))
    found: dict[str, Any] = {}
    room = _TABLE_ENTRIES
    for place, cell in enumerate(all_cells):
        truth = truths.get(cell.dataset)
        one = _cell(content, cell, truth, layouts, layout, at_most)
        if one is None:
            continue
        size = sum(map(len, one.get("confusion", ())))
        if size > room:
            del one["confusion"]
        else:
            room -= size
        found[str(place)] = one
    types = {name: list(truth.shown) for name, truth in truths.items()}
    return {"cells": found, "types": types}


def principal_plane(latent: np.ndarray) -> np.ndarray:
    """Return the coordinates of cells on the first two principal components, (n, 2) float.

    Args:
        latent: (n, d) finite float, d at least 2. The sign of each axis is that of its largest loading, so the
            result does not depend on the library that computes it.
    """
    centred = latent.astype(float) - latent.mean(axis=0, dtype=float)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2] if len(axes) > 1 else np.vstack([axes, np.zeros_like(axes)])
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1)
    return np.asarray(centred @ (axes * np.where(largest < 0, -1.0, 1.0)).T)


def _cell(
    content: Content, cell: Cell, truth: Truth | None, layouts: Layouts, layout: str, at_most: int
) -> dict[str, Any] | None:
    """Return what is drawn of one cell; None when its run kept nothing that can be drawn."""
    stored = next((one for one in _stored(content, cell) if one is not None), None)
    if stored is None:
        return None
    record, labels, latent = stored
    if truth is not None and len(truth.codes) != len(labels):
        truth = None
    about = _clusters(labels, truth)
    codes = about.pop("codes")
    drawn: dict[str, Any] = {"seed": record["seed"], **about}
    if latent is not None and _is_usable(latent, len(labels)):
        named, shown, points = _laid_out(record, latent, codes if truth is None else truth.codes, layouts, at_most)
        order = np.random.default_rng(0).permutation(len(shown))  # no group lies on top of all others
        shown, points = shown[order], points[order]
        low, high = points.min(axis=0), points.max(axis=0)
        span = float((high - low).max())  # one scale for both axes: distances stay comparable
        grid = [steps(points[:, axis], low[axis], low[axis] + span) for axis in (0, 1)]
        ends = [round(STEPS * float(high[axis] - low[axis]) / span) if span > 0 else STEPS for axis in (0, 1)]
        clusters = np.minimum(codes[shown], STEPS)
        drawn |= {"layout": layout if named else "pca", "n": len(labels), "ends": ends}
        drawn["points"] = encoded(np.stack([*grid, clusters]))
        if truth is not None:
            drawn["types"] = encoded(np.minimum(truth.codes[shown], STEPS))
    return drawn


def _stored(content: Content, cell: Cell) -> Iterator[tuple[Mapping[str, Any], np.ndarray, np.ndarray | None] | None]:
    """Yield labels and latent of the ok runs by seed; None for one whose labels are missing or damaged."""
    for record in sorted(cell.ok, key=lambda one: int(one["seed"])):
        folder = content.store / content.folders[str(record["key"])]
        labels, latent = (stored_array(folder / name) for name in ("labels.npy", "embedding.npy"))
        yield None if labels is None or labels.shape != (record["n_cells"],) else (record, labels, latent)


def _laid_out(
    record: Mapping[str, Any], latent: np.ndarray, codes: np.ndarray, layouts: Layouts, at_most: int
) -> tuple[bool, np.ndarray, np.ndarray]:
    """Return whether figures show this run, the drawn cells and their coordinates."""
    if str(record["key"]) in layouts:
        shown, points = layouts[str(record["key"])]
        chosen = sample_cells(codes[shown], at_most)
        return True, shown[chosen], points[chosen]
    shown = sample_cells(codes, at_most)
    return False, shown, principal_plane(latent[shown])


def _clusters(labels: np.ndarray, truth: Truth | None) -> dict[str, Any]:
    """Return the clusters with their names and sizes, matched to types or, without any, largest first."""
    if truth is not None:
        matched = match(truth, labels)
        sizes = matched.table.sum(axis=0)
        return {"codes": matched.codes, "names": list(matched.names), "sizes": sizes.tolist(),
                "matched": matched.types.tolist(), "confusion": matched.table.tolist()}  # fmt: skip
    codes, uniques = encode(labels, "clusters")
    sizes = np.bincount(codes)
    order = np.argsort(-sizes, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    names = [str(uniques[one]) for one in order]
    return {"codes": place[codes], "names": names, "sizes": sizes[order].tolist(), "matched": None}


def _is_usable(latent: np.ndarray, n_cells: int) -> bool:
    """Return whether a stored embedding can be drawn."""
    return latent.ndim == 2 and len(latent) == n_cells and latent.shape[1] >= 2 and bool(np.isfinite(latent).all())
