"""The on-disk cache of inputs that do not depend on the seed, shared by seeds, methods and processes.

It holds the order of the stored counts (see ``scbench.data.stored_order``): the rows of a run are permuted with its
seed, so entries are permuted on the way out. The result is the same as computing from the permuted counts, up to the
rounding of sums in another order. A method is handed a cache and may take it apart, so neither the permutation nor
the counts that a computation is given are those of the file.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from filelock import FileLock
from scipy.sparse import csr_matrix, issparse

from scbench.inputs import Array, Compute, Derived, InputCache
from scbench.whole_file import temporary_beside

__all__ = ["FileOrderCache", "code_fingerprint", "load_arrays", "permuted", "save_array", "save_arrays"]

_LOG = logging.getLogger(__name__)
_PARTS = ("per_cell", "cell_by_cell", "shared")
# What computes derived arrays: another version of any of these may give other digits.
_LIBRARIES = ("numpy", "scipy", "scikit-learn", "scanpy", "anndata", "pandas", "scikit-misc", "numba")


class FileOrderCache:
    """Serve derived arrays of one run's counts from a folder that all runs on these counts share.

    Args:
        folder: where the entries live; it is made when needed.
        matrix: the run's own (permuted) counts; any other matrix is computed afresh.
        order: (n_cells,) int; row i of ``matrix`` is row ``order[i]`` of the stored counts.
        stored_counts: gives the stored counts; called only when something has to be computed.
        own_folder: where entries are written when they are not to be shared, and looked for after ``folder``.
    """

    def __init__(
        self,
        folder: Path,
        matrix: csr_matrix,
        order: np.ndarray,
        stored_counts: Callable[[], csr_matrix],
        own_folder: Path | None = None,
    ) -> None:
        self._folder = folder
        self._own_folder = own_folder or folder
        self._matrix = matrix
        self._order = order
        self._stored_counts = stored_counts
        self._depth = 0
        self.seconds = 0.0  # spent on derived inputs, whether computed or read

    def get(self, matrix: csr_matrix, kind: str, params: Mapping[str, Any], compute: Compute) -> Derived:
        """Return the derived arrays for ``matrix``, in its row order (see ``scbench.inputs.InputCache``)."""
        started = time.perf_counter()
        self._depth += 1
        try:
            if matrix is not self._matrix:
                return compute(matrix, None)
            return permuted(self._stored(kind, params, compute), self._order)
        finally:
            self._depth -= 1
            if self._depth == 0:
                self.seconds += time.perf_counter() - started

    def _stored(self, kind: str, params: Mapping[str, Any], compute: Compute) -> Derived:
        """Return the entry in stored order, computing and storing it when it is not there."""
        name = f"{kind}-{_entry_key(kind, params, compute)}"
        entry = self._own_folder / name
        for place in dict.fromkeys((self._folder / name, entry)):
            found = _read_entry(place)
            if found is not None:
                return found
        try:
            entry.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(entry.with_name(f"{name}.lock"))
            with lock:  # the others wait instead of computing the same; a dead holder's lock is released by the system
                found = _read_entry(entry)
                if found is not None:
                    return found
                computed = self._compute(compute)
                _write_entry(entry, computed)
                return computed
        except OSError as error:  # full or read-only disk: slower, not wrong
            _LOG.warning("the cache %s cannot be used (%s); computing without it", entry.parent, error)
            return self._compute(compute)

    def _compute(self, compute: Compute) -> Derived:
        """Compute in stored order; what the computation builds on is cached in stored order, too."""
        counts = self._stored_counts()
        identity = np.arange(counts.shape[0])
        nested: InputCache = FileOrderCache(self._folder, counts, identity, lambda: counts, self._own_folder)
        return compute(counts, nested)


def permuted(derived: Derived, order: np.ndarray) -> Derived:
    """Return the arrays with their cell axes in ``order``."""
    if np.array_equal(order, np.arange(len(order))):
        return derived
    return Derived(
        per_cell={name: array[order] for name, array in derived.per_cell.items()},
        cell_by_cell={name: _sorted(graph[order][:, order]) for name, graph in derived.cell_by_cell.items()},
        shared=derived.shared,
    )


def _sorted(graph: csr_matrix) -> csr_matrix:
    """Return the graph with sorted column indices, as a fresh computation would give it."""
    graph.sort_indices()
    return graph


def _entry_key(kind: str, params: Mapping[str, Any], compute: Compute) -> str:
    """Return a short key for a computation, its parameters and the code that makes it, a method's own included."""
    module = getattr(compute, "__module__", "")
    source = getattr(sys.modules.get(module), "__file__", None)
    own_code = hashlib.sha256(Path(source).read_bytes()).hexdigest() if source else ""
    identity = json.dumps([kind, params, module, own_code, code_fingerprint()], sort_keys=True)
    return hashlib.sha256(identity.encode()).hexdigest()[:20]


@lru_cache(maxsize=1)
def code_fingerprint() -> str:
    """Return a hash of the code and library versions behind derived inputs, so that none outlives a change."""
    digest = hashlib.sha256()
    own = Path(__file__).parents[1]
    for folder in (own, own / "preprocessing", own / "graph"):  # what computes, and what it stands on
        for source in sorted(folder.glob("*.py")):
            digest.update(source.read_bytes())
    digest.update(" ".join(f"{library}={version(library)}" for library in _LIBRARIES).encode())
    return digest.hexdigest()


def _read_entry(entry: Path) -> Derived | None:
    """Return a stored entry, or None when it is missing or damaged."""
    if not entry.is_dir():
        return None
    try:
        parts = {part: load_arrays(entry / part) for part in _PARTS}
    except (OSError, ValueError, KeyError, EOFError) as error:
        _LOG.warning("the cache entry %s is damaged (%s); computing it again", entry, error)
        return None
    return Derived(**parts)  # type: ignore[arg-type]  # cell_by_cell was written from CSR only


def _write_entry(entry: Path, derived: Derived) -> None:
    """Write an entry so that a reader sees all of it or nothing."""
    temporary = temporary_beside(entry)
    try:
        if entry.exists():  # damaged, or it would have been used; half removed at its place it could pass for whole
            os.rename(entry, temporary)
            shutil.rmtree(temporary)
        for part in _PARTS:
            save_arrays(temporary / part, getattr(derived, part))
        os.rename(temporary, entry)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def save_arrays(folder: Path, arrays: Mapping[str, Array]) -> None:
    """Write dense and CSR arrays as npy files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in arrays.items():
        if issparse(array):
            sparse = csr_matrix(array)
            save_array(folder / f"{name}.shape.npy", np.asarray(sparse.shape))
            for piece in ("data", "indices", "indptr"):
                save_array(folder / f"{name}.{piece}.npy", getattr(sparse, piece))
        else:
            save_array(folder / f"{name}.npy", np.asarray(array))


def save_array(path: Path, array: np.ndarray) -> None:
    """Write one array as npy.

    Raises:
        OSError: with the system's reason; numpy's own way of writing to a file tells only how many items it did not.
    """
    with path.open("wb") as file:
        np.save(cast(IO[bytes], _NoFile(file)), array, allow_pickle=False)


class _NoFile:
    """What numpy writes to by Python's means."""

    def __init__(self, file: IO[bytes]) -> None:
        self.write = file.write


def load_arrays(folder: Path) -> dict[str, Array]:
    """Read what :func:`save_arrays` wrote. Dense arrays are mapped into memory, not read.

    Raises:
        OSError, ValueError: when the folder or a file in it is missing or damaged.
    """
    arrays: dict[str, Array] = {}
    for path in sorted(folder.iterdir()):
        name, *piece = path.name.removesuffix(".npy").rsplit(".", 1)
        if not piece:
            arrays[name] = np.load(path, mmap_mode="r", allow_pickle=False)
        elif piece == ["shape"]:
            parts = [
                np.load(folder / f"{name}.{part}.npy", allow_pickle=False) for part in ("data", "indices", "indptr")
            ]
            arrays[name] = csr_matrix(tuple(parts), shape=tuple(np.load(path)))
    return arrays
