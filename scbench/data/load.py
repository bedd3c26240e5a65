"""Open a dataset: find or fetch its file, read and check it once, and serve it from the cache ever after.

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
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from scbench.data.cache import save_arrays
from scbench.data.config import DatasetConfig, Subsample
from scbench.data.dataset import Dataset
from scbench.data.folders import cache_folder
from scbench.data.origin import Origin, find_origin
from scbench.data.sealed import read_sealed, write_sealed
from scbench.data.stored_order import stored_order
from scbench.data.subsample import Part, subsampled
from scbench.data.validate import CheckedCounts, check_content, mismatches
from scbench.data.whole_file import temporary_beside
from scbench.inputs import Array

__all__ = ["Dataset", "open_dataset"]

_LOG = logging.getLogger(__name__)
_READS_AND_CHECKS = (
    "corrupt.py",
    "identical_cells.py",
    "label_checks.py",
    "labelled.py",
    "left_out.py",
    "load.py",
    "remarks.py",
    "sealed.py",
    "spike_ins.py",
    "stored_order.py",
    "subsample.py",
    "validate.py",
)
# What files are read with: another version may read other values.
_READ_WITH = ("anndata", "h5py", "numpy", "pandas", "rdata", "scipy", "zarr")


@dataclass(frozen=True)
class _Content:
    """What is to be kept in the cache.

    Attributes:
        name, sha256, source, preprocessing, part: as in :class:`Dataset`.
        read: gives the counts and labels when they are not in the cache.
    """

    name: str
    sha256: str
    source: str
    preprocessing: dict[str, Any]
    read: Callable[[], CheckedCounts]
    part: Part | None = None


def open_dataset(config: DatasetConfig, *, progress: bool = True) -> Dataset:
    """Return the dataset of a configuration, fetching and parsing it when that has not been done yet.

    Raises:
        DataError: the file is missing, damaged, unverified, or not what the methods can work on.
        ConfigError: the configuration does not name a dataset.
    """
    if config.subsample.share < 1:
        whole = open_dataset(replace(config, subsample=Subsample()), progress=progress)
        return _cached(_part_of(whole, config.subsample), [whole.folder.name])
    origin = find_origin(config, progress=progress)
    content = _Content(
        origin.name, origin.sha256, origin.source, origin.preprocessing, lambda: _checked(origin, config)
    )
    return _cached(content, [config.cells, config.genes, config.types, *origin.cached_by])


def _checked(origin: Origin, config: DatasetConfig) -> CheckedCounts:
    """Read and check the content of a file."""
    config = replace(config, name=origin.name)  # messages name the file, not "file"
    checked = check_content(origin.load(), config)
    return replace(checked, warnings=(*checked.warnings, *mismatches(checked, config)))


def _part_of(whole: Dataset, choice: Subsample) -> _Content:
    """Return a subsample, taken from the parsed copy of the whole: the file is read once for all of them."""

    def read() -> CheckedCounts:
        counts = whole.counts()
        checked = CheckedCounts(
            counts.matrix, whole.labels(), counts.genes, whole.is_counts, whole.warnings, whole.labels_from
        )
        return subsampled(checked, choice, whole.name)

    return _Content(
        whole.name + choice.suffix,
        whole.sha256,
        whole.source,
        whole.preprocessing | {"subsample": asdict(choice)},
        read,
        Part(whole.name, whole.n_cells, whole.n_types, choice),
    )


def _cached(content: _Content, more: list[Any]) -> Dataset:
    """Return a dataset from the cache, filling it when needed.

    Args:
        content: what is asked for.
        more: what the copy in the cache depends on besides name, bytes, preprocessing and code.
    """
    identity = [content.name, content.sha256, content.preprocessing, *more, _code()]
    key = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:20]
    root = cache_folder()
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / f"{key}.lock"):
            return _parsed(root, key, content)
    except OSError as error:
        fallback = Path(tempfile.mkdtemp(prefix="scbench-"))
        atexit.register(shutil.rmtree, fallback, ignore_errors=True)
        _LOG.warning("the cache folder %s cannot be used (%s); using %s for this command", root, error, fallback)
        return _parsed(fallback, key, content)


def _sizes(folder: Path) -> dict[str, int]:
    """Return the sizes of the files in a folder: a cut file is noticed before it is used."""
    return {path.name: path.stat().st_size for path in sorted(folder.iterdir())}


def _parsed(root: Path, key: str, content: _Content) -> Dataset:
    """Return the dataset from a folder of the cache, filling it when needed."""
    folder, apart = root / "counts" / key, root / "apart" / key
    if not (folder / "meta.json").exists():
        _parse(folder, apart, content)
    try:
        about = _about(folder, apart, content.sha256)
    except (ValueError, KeyError, OSError):
        _LOG.warning("the cached copy of dataset %s is damaged; reading the file again", content.name)
        shutil.rmtree(folder, ignore_errors=True)
        _parse(folder, apart, content)
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
    )


def _about(folder: Path, apart: Path, sha256: str) -> dict[str, Any]:
    """Return what is known of a parsed dataset.

    Raises:
        OSError, ValueError, KeyError: when something of it is missing or damaged.
    """
    meta: dict[str, Any] = json.loads((folder / "meta.json").read_text())
    about: dict[str, Any] = json.loads(str(read_sealed(apart / "about", sha256)["json"]))
    names = ("about", "order") if about["n_types"] is None else ("about", "labels", "order")
    if any(not (apart / name).is_file() for name in names) or _sizes(folder / "arrays") != meta["sizes"]:
        raise KeyError("arrays")
    return about


def _parse(folder: Path, apart: Path, content: _Content) -> None:
    """Store one dataset; the folder of its counts appears last, and only when all is complete."""
    checked, seal = content.read(), content.sha256
    order = stored_order(checked.matrix, is_counts=checked.is_counts)
    temporary = temporary_beside(folder)
    try:
        arrays: dict[str, Array] = {"counts": checked.matrix[order]}
        arrays |= {} if checked.genes is None else {"genes": checked.genes.astype(str)}
        save_arrays(temporary / "arrays", arrays)
        write_sealed(apart / "order", {"order": order}, seal)
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
        }
        write_sealed(apart / "about", {"json": np.array(json.dumps(about))}, seal)
        (temporary / "meta.json").write_text(json.dumps({"sizes": _sizes(temporary / "arrays")}, indent=1))
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _version(library: str) -> str:
    """Return the version of a library, "" for one that is not installed: R files need an extra."""
    try:
        return version(library)
    except PackageNotFoundError:
        return ""


@lru_cache(maxsize=1)
def _code() -> str:
    """Return a hash of the reading code, so that a parsed copy never outlives a change of it."""
    digest = hashlib.sha256()
    here = Path(__file__).parent
    for name in _READS_AND_CHECKS:
        digest.update((here / name).read_bytes())
    for path in sorted((here / "readers").rglob("*.py")):
        digest.update(path.read_bytes())
    digest.update(" ".join(f"{library}={_version(library)}" for library in _READ_WITH).encode())
    return digest.hexdigest()
