"""Open a dataset: find or fetch its file, read and check it once, and serve it from the cache ever after.

Labels are kept in a folder of their own, away from everything that a method's inputs are read from.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import logging
import os
import shutil
import tempfile
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import numpy as np
from filelock import FileLock
from scipy.sparse import csr_matrix

from scbench.data.cache import FileOrderCache, load_arrays, save_arrays
from scbench.data.config import DatasetConfig
from scbench.data.folders import cache_folder
from scbench.data.origin import Origin, find_origin
from scbench.data.validate import check_content, mismatches
from scbench.errors import DataError
from scbench.inputs import Array
from scbench.method import Counts

__all__ = ["Dataset", "open_dataset"]

_LOG = logging.getLogger(__name__)
# What files are read with: another version may read other values.
_READ_WITH = ("anndata", "h5py", "numpy", "pandas", "scipy")


@dataclass(frozen=True)
class Dataset:
    """A parsed dataset on disk. It can be sent to another process, which maps the same files.

    Attributes:
        name: name in tables and in the store.
        sha256: of the bytes of the file (with its label file), or of the parameters of a simulation.
        source: where the bytes came from.
        preprocessing: how the bytes were turned into counts and labels (part of a run's key).
        folder: the parsed counts; ``labels_path`` lies elsewhere.
        n_cells, n_genes: sizes.
        n_types: number of different labels; None without labels.
        is_counts: whether the matrix holds raw counts.
        warnings: lines to show once to the user.
    """

    name: str
    sha256: str
    source: str
    preprocessing: dict[str, Any]
    folder: Path
    labels_path: Path | None
    n_cells: int
    n_genes: int
    n_types: int | None
    is_counts: bool
    warnings: tuple[str, ...]

    def counts(self) -> Counts:
        """Return the counts in file order."""
        arrays = _stored(self.folder)
        genes = np.array(arrays["genes"], dtype=object) if "genes" in arrays else None
        return Counts(cast(csr_matrix, arrays["counts"]), genes, self.is_counts)

    def labels(self) -> np.ndarray | None:
        """Return the annotated types in file order, (n_cells,) str; only scoring may ask for them."""
        return None if self.labels_path is None else np.load(self.labels_path, allow_pickle=False)

    def cache(self, matrix: csr_matrix, order: np.ndarray | None = None) -> FileOrderCache:
        """Return the cache of derived inputs that serves ``matrix``.

        Args:
            matrix: the very object that methods will be given; any other is computed afresh.
            order: its permutation: row i is row ``order[i]`` of the file. None: file order.
        """
        rows = np.arange(self.n_cells) if order is None else order
        # A run can reach its cache, so the cache holds the folder of the counts and not this object.
        return FileOrderCache(self.folder / "derived", matrix, rows, partial(_stored_matrix, self.folder))


def open_dataset(config: DatasetConfig, *, progress: bool = True) -> Dataset:
    """Return the dataset of a configuration, fetching and parsing it when that has not been done yet.

    Raises:
        DataError: the file is missing, damaged, unverified, or not what the methods can work on.
        ConfigError: the configuration does not name a dataset.
    """
    origin = find_origin(config, progress=progress)
    identity = [
        origin.name,
        origin.sha256,
        origin.preprocessing,
        config.cells,
        config.genes,
        config.types,
        _code(),
    ]
    key = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:20]
    root = cache_folder()
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / f"{key}.lock"):
            return _parsed(root, key, origin, config)
    except OSError as error:
        fallback = Path(tempfile.mkdtemp(prefix="scbench-"))
        atexit.register(shutil.rmtree, fallback, ignore_errors=True)
        _LOG.warning("the cache folder %s cannot be used (%s); using %s for this command", root, error, fallback)
        return _parsed(fallback, key, origin, config)


def _stored(folder: Path) -> dict[str, Array]:
    """Return the parsed arrays in file order."""
    try:
        arrays = load_arrays(folder / "arrays")
        if isinstance(arrays["counts"], csr_matrix):
            return arrays
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise DataError(
            f"the cached counts in {folder} are damaged ({error}); delete that folder and run again"
        ) from error
    raise DataError(f"the cached counts in {folder} are not sparse; delete that folder and run again")


def _stored_matrix(folder: Path) -> csr_matrix:
    """Return the parsed counts in file order."""
    return cast(csr_matrix, _stored(folder)["counts"])


def _sizes(folder: Path) -> dict[str, int]:
    """Return the sizes of the files in a folder: a cut file is noticed before it is used."""
    return {path.name: path.stat().st_size for path in sorted(folder.iterdir())}


def _parsed(root: Path, key: str, origin: Origin, config: DatasetConfig) -> Dataset:
    """Return the dataset from the cache, filling it when needed."""
    folder, labels_path = root / "counts" / key, root / "labels" / f"{key}.npy"
    if not (folder / "meta.json").exists():
        _parse(folder, labels_path, origin, config)
    try:
        meta = json.loads((folder / "meta.json").read_text())
        has_labels = meta["n_types"] is not None
        if (has_labels and not labels_path.exists()) or _sizes(folder / "arrays") != meta["sizes"]:
            raise KeyError("arrays")
    except (ValueError, KeyError, OSError):
        _LOG.warning("the cached copy of dataset %s is damaged; reading the file again", origin.name)
        shutil.rmtree(folder, ignore_errors=True)
        _parse(folder, labels_path, origin, config)
        meta = json.loads((folder / "meta.json").read_text())
        has_labels = meta["n_types"] is not None
    return Dataset(
        name=origin.name,
        sha256=origin.sha256,
        source=origin.source,
        preprocessing=origin.preprocessing,
        folder=folder,
        labels_path=labels_path if has_labels else None,
        n_cells=meta["n_cells"],
        n_genes=meta["n_genes"],
        n_types=meta["n_types"],
        is_counts=meta["is_counts"],
        warnings=tuple(meta["warnings"]),
    )


def _parse(folder: Path, labels_path: Path, origin: Origin, config: DatasetConfig) -> None:
    """Read, check and store one dataset; the folder appears only when it is complete."""
    config = replace(config, name=origin.name)  # messages name the file, not "file"
    checked = check_content(origin.load(), config)
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        arrays: dict[str, Array] = {"counts": checked.matrix}
        arrays |= {} if checked.genes is None else {"genes": checked.genes.astype(str)}
        save_arrays(temporary / "arrays", arrays)
        if checked.labels is not None:
            labels_path.parent.mkdir(parents=True, exist_ok=True)
            np.save(labels_path, checked.labels, allow_pickle=False)
        meta = {
            "n_cells": checked.matrix.shape[0],
            "n_genes": checked.matrix.shape[1],
            "n_types": None if checked.labels is None else len(np.unique(checked.labels)),
            "is_counts": checked.is_counts,
            "warnings": [*checked.warnings, *mismatches(checked, config)],
            "sizes": _sizes(temporary / "arrays"),
        }
        (temporary / "meta.json").write_text(json.dumps(meta, indent=1))
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@lru_cache(maxsize=1)
def _code() -> str:
    """Return a hash of the reading code, so that a parsed copy never outlives a change of it."""
    digest = hashlib.sha256()
    here = Path(__file__).parent
    for name in ("corrupt.py", "labelled.py", "load.py", "validate.py"):
        digest.update((here / name).read_bytes())
    for path in sorted((here / "readers").glob("*.py")):
        digest.update(path.read_bytes())
    digest.update(" ".join(f"{library}={version(library)}" for library in _READ_WITH).encode())
    return digest.hexdigest()
