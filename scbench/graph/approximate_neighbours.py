"""Nearest neighbours among very many cells: looked for in the lists nearest to each cell, with a recall that is met.

Cells are parted into lists by a few rounds of k-means. A cell's neighbours are then looked for in the lists whose
centres are nearest to it, exactly: distances by products of blocks. How many lists that takes is not guessed. For a
sample of cells the true neighbours are found among all cells, and the number of lists is the smallest that holds the
wanted share of them. So every graph comes with its own recall, and data that are hard to part are searched further.

Source: the inverted file of Jégou, Douze and Schmid 2011 (product quantisation for nearest neighbour search), without
quantisation. NN-descent (pynndescent) would be the field's choice; version 0.6.0 takes 27 s of processor time for its
import and compilation in each process, in which this search is done with 200 000 cells.
"""

from __future__ import annotations

import sys

import numpy as np
from scipy.sparse import csr_matrix

__all__ = ["approximate_neighbours"]

_LIST_SIZE = 128  # cells in a list, on average
_SAMPLE_PER_LIST = 10  # cells that the centres are made from
_ROUNDS = 5
_SAMPLE = 1000  # cells whose true neighbours are found
_VALUES_AT_ONCE = 1 << 22  # distances in a block
_SEED = 0
# A squared distance and the cell that it leads to are one number, the distance in its upper half: the bits of a float32
# that is not negative are in the order of its values, and numbers are parted several times as fast as positions are.
_HIGH = 1 if sys.byteorder == "little" else 0
_NOTHING = np.uint64(2**64 - 1)
_ENDLESS = np.uint64(int(np.float32(np.inf).view(np.uint32)) << 32)


def approximate_neighbours(x: np.ndarray, k: int, least_recall: float = 0.98) -> tuple[np.ndarray, np.ndarray, float]:
    """Return ``k`` near other cells of each cell, their Euclidean distances, and the share of the nearest among them.

    The same ``x`` gives the same neighbours; nothing is drawn but from a fixed seed.

    Args:
        x: (n_cells, n_features) dense, finite, ``n_cells`` above ``k``.
        k: at least 1.
        least_recall: mean share, in (0, 1], of the ``k`` nearest that the lists of the sampled cells must hold.

    Returns:
        (n_cells, k) int64 indices and float64 distances, by increasing distance, equal ones by index; and the recall
        on the sample, at least ``least_recall``.
    """
    points = np.ascontiguousarray(x, dtype=np.float32)
    points = points - points.mean(axis=0, dtype=np.float64).astype(np.float32)  # small numbers leave more digits
    rng = np.random.default_rng(_SEED)
    centres = _centres(points, rng)
    list_of = _nearest_centre(points, centres)
    n_probed, recall = _lists_to_probe(points, k, centres, list_of, least_recall, rng)
    found = _search(points, k, centres, list_of, np.argsort(list_of, kind="stable"), n_probed)
    return *_ordered(x, found), recall


def _blocks(n_rows: int, n_columns: int) -> list[slice]:
    """Return slices of rows, so that a block of all columns is not too large."""
    step = max(1, _VALUES_AT_ONCE // max(n_columns, 1))
    return [slice(start, min(start + step, n_rows)) for start in range(0, n_rows, step)]


def _squared(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return (len(a), len(b)) squared distances less the squared length of each row of ``a``, which orders no row."""
    products: np.ndarray = a @ b.T
    products *= -2
    products += np.einsum("ij,ij->i", b, b)
    return products


def _centres(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the centres of lists: k-means on a sample, from random cells; one that gets no cell stays."""
    n_cells = len(points)
    n_lists = max(1, n_cells // _LIST_SIZE)
    sample = points[rng.choice(n_cells, min(n_cells, _SAMPLE_PER_LIST * n_lists), replace=False)]
    centres = sample[:n_lists]
    for _ in range(_ROUNDS):
        nearest = _nearest_centre(sample, centres)
        sizes = np.bincount(nearest, minlength=n_lists)
        sums = np.stack([np.bincount(nearest, weights=column, minlength=n_lists) for column in sample.T], axis=1)
        centres = np.where(sizes[:, None] > 0, sums / np.maximum(sizes, 1)[:, None], centres).astype(np.float32)
    return centres


def _nearest_centre(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return (n,) the centre nearest to each point."""
    blocks = _blocks(len(points), len(centres))
    return np.concatenate([_squared(points[rows], centres).argmin(axis=1) for rows in blocks])


def _lists_to_probe(
    points: np.ndarray,
    k: int,
    centres: np.ndarray,
    list_of: np.ndarray,
    least_recall: float,
    rng: np.random.Generator,
) -> tuple[int, float]:
    """Return in how many of the nearest lists a cell's neighbours are to be looked for, and the recall of that."""
    cells = np.sort(rng.choice(len(points), min(_SAMPLE, len(points)), replace=False))
    true = _among_all(points, cells, k)
    order = np.argsort(_squared(points[cells], centres), axis=1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(len(centres))[None, :], axis=1)
    place = np.take_along_axis(rank, list_of[true], axis=1)  # in how near a list each true neighbour lies
    recalls = np.cumsum(np.bincount(place.ravel(), minlength=len(centres))) / place.size
    n_probed = int(np.argmax(recalls >= least_recall)) + 1
    return n_probed, float(recalls[n_probed - 1])


def _search(
    points: np.ndarray, k: int, centres: np.ndarray, list_of: np.ndarray, by_list: np.ndarray, n_probed: int
) -> np.ndarray:
    """Return (n_cells, k) the nearest other cells in the ``n_probed`` nearest lists of each cell, in no order."""
    n_cells = len(points)
    starts = np.searchsorted(list_of[by_list], np.arange(len(centres) + 1))
    askers, bounds = _who_asks(points, centres, n_probed)
    lengths = np.einsum("ij,ij->i", points, points)[:, None]
    ones = np.ones_like(lengths)
    left, right = np.hstack([points, lengths, ones]), np.hstack([-2 * points, ones, lengths])
    best = np.full((n_cells, k), _NOTHING)

    def look(names: np.ndarray, asking: np.ndarray) -> None:
        """Give cells what is nearer in one list than what they have; none of them is in it, or they are that list."""
        for rows in _blocks(len(asking), 2 * (len(names) + k)):
            cells = asking[rows]
            squared = left[cells] @ right[names].T
            np.maximum(squared, 0, out=squared)
            if asking is names:
                squared[np.arange(len(cells)), np.arange(rows.start, rows.start + len(cells))] = np.inf
            worst = best[cells, k - 1].view(np.uint32)[_HIGH::2]
            gains = np.flatnonzero((squared.view(np.uint32) <= worst[:, None]).any(axis=1))
            cells = cells[gains]
            keys = np.empty((len(cells), k + len(names)), dtype=np.uint64)
            keys[:, :k] = best[cells]
            keys.view(np.uint32)[:, 2 * k + _HIGH :: 2] = squared[gains].view(np.uint32)
            keys.view(np.uint32)[:, 2 * k + 1 - _HIGH :: 2] = names
            keys.partition(k - 1, axis=1)
            best[cells] = keys[:, :k]

    for each in range(len(centres)):  # first, for what is found there spares most of the work in the others
        names = by_list[starts[each] : starts[each + 1]]
        look(names, names)
    for each in range(len(centres)):
        asking = askers[bounds[each] : bounds[each + 1]]
        look(by_list[starts[each] : starts[each + 1]], asking[list_of[asking] != each])
    is_lacking = (best >= _ENDLESS).any(axis=1)  # their lists hold too few cells
    found = best.view(np.uint32)[:, 1 - _HIGH :: 2].astype(np.int64)
    found[is_lacking] = _among_all(points, np.flatnonzero(is_lacking), k)
    return found


def _who_asks(points: np.ndarray, centres: np.ndarray, n_probed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the cells that probe each list, one list after the other, and (n_lists + 1,) where each begins."""
    n_cells, n_lists = len(points), len(centres)
    probed = np.empty((n_cells, n_probed), dtype=np.int32)
    for rows in _blocks(n_cells, n_lists):
        distances = _squared(points[rows], centres)
        probed[rows] = np.argpartition(distances, n_probed - 1, axis=1)[:, :n_probed]
    starts = np.arange(0, n_cells * n_probed + 1, n_probed)
    asks = csr_matrix((np.ones(probed.size, dtype=np.int8), probed.ravel(), starts), shape=(n_cells, n_lists)).tocsc()
    return asks.indices, asks.indptr


def _among_all(points: np.ndarray, cells: np.ndarray, k: int) -> np.ndarray:
    """Return (len(cells), k) the nearest other cells of some cells, in no order."""
    nearest = np.empty((len(cells), k), dtype=np.int64)
    for rows in _blocks(len(cells), len(points)):
        distances = _squared(points[cells[rows]], points)
        distances[np.arange(len(distances)), cells[rows]] = np.inf
        nearest[rows] = np.argpartition(distances, k - 1, axis=1)[:, :k]
    return nearest


def _ordered(x: np.ndarray, found: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return neighbours and their distances, by distance and then by index; of differences, in float64."""
    n_cells, k = found.shape
    indices, distances = np.empty((n_cells, k), dtype=np.int64), np.empty((n_cells, k))
    for rows in _blocks(n_cells, k * x.shape[1]):
        differences = x[found[rows]].astype(np.float64)
        differences -= x[rows, None, :]
        lengths = np.sqrt(np.einsum("ikj,ikj->ik", differences, differences))
        order = np.lexsort((found[rows], lengths), axis=1)
        indices[rows] = np.take_along_axis(found[rows], order, axis=1)
        distances[rows] = np.take_along_axis(lengths, order, axis=1)
    return indices, distances
