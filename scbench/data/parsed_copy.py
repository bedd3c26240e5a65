"""The parsed copy of a dataset in the cache: made once, under a lock, and looked at before it is used.

Counts are kept in an order that tells nothing of the file's. That order, the labels and all that is said of a dataset
are kept in a folder of their own, away from everything that a method's inputs are read from, and sealed.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock, Timeout

from scbench.data.dataset import Dataset
from scbench.data.folders import cache_folder
from scbench.data.reading_code import reading_code
from scbench.data.sealed import read_sealed, write_sealed
from scbench.whole_file import temporary_beside

if TYPE_CHECKING:  # a copy that is there needs nothing of scipy
    from scbench.data.subsample import Part
    from scbench.data.validate import CheckedCounts
    from scbench.inputs import Array

__all__ = ["Content", "cached", "parse"]

_LOG = logging.getLogger(__name__)
_SILENT_SECONDS = 1.0


@dataclass(frozen=True)
class Content:
    """What is to be kept in the cache.

    Attributes:
        name, sha256, source, preprocessing, part: as in :class:`Dataset`.
        read: gives the counts and labels when they are not in the cache.
        depends_on: what the copy in the cache depends on besides name, bytes, preprocessing and code.
        reads_elsewhere: has the copy made by another process, in a folder of the cache; None: by this one.
    """

    name: str
    sha256: str
    source: str
    preprocessing: dict[str, Any]
    read: Callable[[], CheckedCounts]
    depends_on: tuple[Any, ...]
    part: Part | None = None
    reads_elsewhere: Callable[[Path], None] | None = None

    @property
    def key(self) -> str:
        """Return the name of the copy in the cache."""
        identity = [self.name, self.sha256, self.preprocessing, *self.depends_on, reading_code()]
        return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:20]


def cached(content: Content) -> Dataset:
    """Return a dataset from the cache, filling it when needed."""
    key, root = content.key, cache_folder()
    try:
        root.mkdir(parents=True, exist_ok=True)
        with _locked(root / f"{key}.lock", content.name):
            return _parsed(root, key, content)
    except OSError as error:
        fallback = Path(tempfile.mkdtemp(prefix="scbench-"))
        atexit.register(shutil.rmtree, fallback, ignore_errors=True)
        _LOG.warning("the cache folder %s cannot be used (%s); using %s for this command", root, error, fallback)
        return _parsed(fallback, key, content)


@contextmanager
def _locked(file: Path, name: str) -> Iterator[None]:
    """Hold a lock, and say what is waited for: another command may have much to read."""
    lock = FileLock(file)
    try:
        lock.acquire(timeout=_SILENT_SECONDS)
    except Timeout:
        _LOG.warning("waiting for another command that reads dataset %s", name)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _folders(root: Path, key: str) -> tuple[Path, Path]:
    """Return where the counts of a parsed copy are, and where all else of it."""
    return root / "counts" / key, root / "apart" / key


def _sizes(folder: Path) -> dict[str, int]:
    """Return the sizes of the files in a folder: a cut file is noticed before it is used."""
    return {path.name: path.stat().st_size for path in sorted(folder.iterdir())}


def _parsed(root: Path, key: str, content: Content) -> Dataset:
    """Return the dataset from a folder of the cache, filling it when needed."""
    folder, apart = _folders(root, key)
    if not (folder / "meta.json").exists():
        _fill(root, content)
    try:
        about = _about(folder, apart, content.sha256)
    except (ValueError, KeyError, OSError):
        _LOG.warning("the cached copy of dataset %s is damaged; reading the file again", content.name)
        shutil.rmtree(folder, ignore_errors=True)
        _fill(root, content)
        about = _about(folder, apart, content.sha256)
    return Dataset(
        name=content.name,
        sha256=content.sha256,
        source=content.source,
        preprocessing=content.preprocessing,
        folder=folder,
        labels_path=None if about["n_types"] is None else apart / "labels",
        n_cells=about["n_cells"],
        n_genes=about["n_genes"],
        n_types=about["n_types"],
        is_counts=about["is_counts"],
        warnings=tuple(about["warnings"]),
        part=content.part,
        labels_from=about["labels_from"],
        order_path=apart / "order",
        cells_path=apart / "cells" if about["has_cells"] else None,
        n_in_file=about["n_in_file"],
    )


def _about(folder: Path, apart: Path, sha256: str) -> dict[str, Any]:
    """Return what is known of a parsed dataset.

    Raises:
        OSError, ValueError, KeyError: when something of it is missing or damaged.
    """
    meta: dict[str, Any] = json.loads((folder / "meta.json").read_text())
    about: dict[str, Any] = json.loads(str(read_sealed(apart / "about", sha256)["json"]))
    names = ["about", "order"]
    names += [] if about["n_types"] is None else ["labels"]
    names += ["cells"] if about["has_cells"] else []
    if any(not (apart / name).is_file() for name in names) or _sizes(folder / "arrays") != meta["sizes"]:
        raise KeyError("arrays")
    return about


def _fill(root: Path, content: Content) -> None:
    """Put a dataset into the cache, and leave nothing of a process that was ended while it did."""
    if content.reads_elsewhere is None:
        parse(root, content)
        return
    folder, apart = _folders(root, content.key)
    try:
        content.reads_elsewhere(root)
    finally:
        for unfinished in (*folder.parent.glob(f".{folder.name}.*"), *apart.glob(".*")):
            shutil.rmtree(unfinished) if unfinished.is_dir() else unfinished.unlink()


def parse(root: Path, content: Content) -> None:
    """Read one dataset and store it; the folder of its counts appears last, and only when all is complete."""
    from scbench.data.cache import save_arrays
    from scbench.data.stored_order import stored_order

    folder, apart = _folders(root, content.key)
    checked, seal = content.read(), content.sha256
    order = stored_order(checked.matrix, is_counts=checked.is_counts)
    temporary = temporary_beside(folder)
    try:
        arrays: dict[str, Array] = {"counts": checked.matrix[order]}
        arrays |= {} if checked.genes is None else {"genes": checked.genes.astype(str)}
        save_arrays(temporary / "arrays", arrays)
        write_sealed(apart / "order", {"order": order}, seal)
        if checked.cells is not None:
            write_sealed(apart / "cells", {"cells": checked.cells.astype(str)}, seal)
        n_types = None
        if checked.labels is not None:
            types, codes = np.unique(checked.labels, return_inverse=True)
            write_sealed(apart / "labels", {"types": types, "codes": codes}, seal)
            n_types = len(types)
        about = {
            "n_cells": checked.matrix.shape[0],
            "n_genes": checked.matrix.shape[1],
            "n_types": n_types,
            "is_counts": checked.is_counts,
            "warnings": list(checked.warnings),
            "labels_from": checked.labels_from,
            "has_cells": checked.cells is not None,
            "n_in_file": checked.n_in_file,
        }
        write_sealed(apart / "about", {"json": np.array(json.dumps(about))}, seal)
        (temporary / "meta.json").write_text(json.dumps({"sizes": _sizes(temporary / "arrays")}, indent=1))
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
