"""Open a dataset: find or fetch its file, read and check it once, and serve it from the cache ever after.

Labels are kept in a folder of their own, away from everything that a method's inputs are read from.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from scipy.sparse import csr_matrix

from scbench.data.cache import FileOrderCache, load_arrays, save_arrays
from scbench.data.checksum import file_checksums
from scbench.data.config import DatasetConfig, FileDataset, RegisteredDataset, SimulatedDataset, SourceFile
from scbench.data.fetch import fetch
from scbench.data.folders import cache_folder
from scbench.data.labelled import LabelledCounts
from scbench.data.readers import read, reader_for
from scbench.data.simulate import simulate
from scbench.data.validate import check_content, mismatches
from scbench.errors import ConfigError, DataError
from scbench.inputs import Array
from scbench.method import Counts

__all__ = ["Dataset", "open_dataset"]

_LOG = logging.getLogger(__name__)
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


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
        arrays = load_arrays(self.folder / "arrays")
        matrix = arrays["counts"]
        if not isinstance(matrix, csr_matrix):
            raise DataError(f"the cached counts in {self.folder} are damaged; delete that folder and run again")
        genes = arrays.get("genes")
        return Counts(matrix, None if genes is None else np.array(genes, dtype=object), self.is_counts)

    def labels(self) -> np.ndarray | None:
        """Return the annotated types in file order, (n_cells,) str; only scoring may ask for them."""
        return None if self.labels_path is None else np.load(self.labels_path, allow_pickle=False)

    def cache(self, matrix: csr_matrix | None = None, order: np.ndarray | None = None) -> FileOrderCache:
        """Return the cache of derived inputs for these counts in the given row order (default: file order)."""
        own = _stored_matrix(self.folder) if matrix is None else matrix
        rows = np.arange(self.n_cells) if order is None else order
        # A run can reach its cache, so the cache holds the folder of the counts and not this object.
        return FileOrderCache(self.folder / "derived", own, rows, partial(_stored_matrix, self.folder))


@dataclass(frozen=True)
class _Origin:
    """Where content comes from, before it is read."""

    name: str
    sha256: str
    source: str
    preprocessing: dict[str, Any]
    load: Callable[[], LabelledCounts]


def open_dataset(config: DatasetConfig, *, progress: bool = True) -> Dataset:
    """Return the dataset of a configuration, fetching and parsing it when that has not been done yet.

    Raises:
        DataError: the file is missing, damaged, unverified, or not what the methods can work on.
        ConfigError: the configuration does not name a dataset.
    """
    origin = _origin(config, progress)
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


def _stored_matrix(folder: Path) -> csr_matrix:
    """Return the parsed counts in file order."""
    matrix = load_arrays(folder / "arrays").get("counts")
    if not isinstance(matrix, csr_matrix):
        raise DataError(f"the cached counts in {folder} are damaged; delete that folder and run again")
    return matrix


def _parsed(root: Path, key: str, origin: _Origin, config: DatasetConfig) -> Dataset:
    """Return the dataset from the cache, filling it when needed."""
    folder, labels_path = root / "counts" / key, root / "labels" / f"{key}.npy"
    if not (folder / "meta.json").exists():
        _parse(folder, labels_path, origin, config)
    try:
        meta = json.loads((folder / "meta.json").read_text())
        has_labels = meta["n_types"] is not None
        if has_labels and not labels_path.exists():
            raise KeyError("labels")
    except (ValueError, KeyError):
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


def _parse(folder: Path, labels_path: Path, origin: _Origin, config: DatasetConfig) -> None:
    """Read, check and store one dataset; the folder appears only when it is complete."""
    config = replace(config, name=origin.name)  # messages name the file, not "file"
    checked = check_content(origin.load(), config)
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        arrays: dict[str, Array] = {"counts": checked.matrix}
        arrays |= {} if checked.genes is None else {"genes": checked.genes.astype(str)}
        arrays |= {} if checked.cells is None else {"cells": checked.cells.astype(str)}
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
        }
        (temporary / "meta.json").write_text(json.dumps(meta, indent=1))
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _origin(config: DatasetConfig, progress: bool) -> _Origin:
    """Return where the content of a configuration comes from."""
    handling = {
        "values": config.values,
        "rounding": config.rounding,
        "label": config.label,
        "unlabelled": config.unlabelled,
    }
    if isinstance(config, SimulatedDataset):
        return _simulated(config, handling)
    if isinstance(config, FileDataset):
        return _user_file(config, handling)
    if not isinstance(config, RegisteredDataset):
        raise ConfigError(f"dataset {config.name!r} is of no known kind; use a registered name, file or simulated")
    located = fetch(config, progress=progress)
    source, label_path = located.source, located.label_path
    handling |= {"reader": source.reader, "member": source.member, "matrix": source.matrix}
    return _Origin(
        name=config.name,
        sha256=_joined(located.sha256, located.label_sha256),
        source=source.url or located.path.name,
        preprocessing=handling,
        load=lambda: read(located.path, source, label=config.label, label_path=label_path),
    )


def _simulated(config: SimulatedDataset, handling: dict[str, Any]) -> _Origin:
    """Return a simulation; its parameters and the generator's code stand for its bytes."""
    parameters = {
        name: getattr(config, name)
        for name in ("n_cells", "n_genes", "n_types", "separation", "dropout", "imbalance", "seed")
    }
    digest = hashlib.sha256(json.dumps(parameters, sort_keys=True).encode())
    digest.update((Path(__file__).parent / "simulate.py").read_bytes())
    return _Origin(config.name, digest.hexdigest(), "simulated", handling | parameters, lambda: simulate(config))


def _user_file(config: FileDataset, handling: dict[str, Any]) -> _Origin:
    """Return a user's own file."""
    path = Path(config.path).expanduser()
    label_path = None if config.label_path is None else Path(config.label_path).expanduser()
    for given, key in ((path, "path"), (label_path, "label_path")):
        if given is not None and not given.exists():
            raise DataError(
                f"dataset.{key}={given} does not exist; check the path (the current folder is {Path.cwd()})"
            )
    reader = config.reader or reader_for(path)
    source = SourceFile(reader=reader, member=config.member, matrix=config.matrix)
    handling |= {"reader": reader, "member": config.member, "matrix": config.matrix}
    name = config.name if config.name != "file" else _UNSAFE.sub("_", path.name.split(".")[0]) or "file"
    return _Origin(
        name=name,
        sha256=_joined(_path_sha256(path), None if label_path is None else _path_sha256(label_path)),
        source=path.name,
        preprocessing=handling,
        load=lambda: read(path, source, label=config.label, label_path=label_path),
    )


def _path_sha256(path: Path) -> str:
    """Return the sha256 of a file, or of the names and contents of the files in a folder."""
    if path.is_file():
        return file_checksums(path).sha256
    digest = hashlib.sha256()
    for member in sorted(entry for entry in path.iterdir() if entry.is_file()):
        digest.update(f"{member.name} {file_checksums(member).sha256}\n".encode())
    return digest.hexdigest()


def _joined(data: str, labels: str | None) -> str:
    """Return one sha256 for a data file and its label file."""
    return data if labels is None else hashlib.sha256(f"{data} {labels}".encode()).hexdigest()


@lru_cache(maxsize=1)
def _code() -> str:
    """Return a hash of the reading code, so that a parsed copy never outlives a change of it."""
    digest = hashlib.sha256()
    here = Path(__file__).parent
    for path in (here / "validate.py", here / "load.py", *sorted((here / "readers").glob("*.py"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()
