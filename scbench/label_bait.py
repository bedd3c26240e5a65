"""Labels laid out where a method can find them and has no business, to see whether its result depends on them.

They lie closer at hand than in a real run, where none of these places has any.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

import scbench.metrics
from scbench.data.cache import FileOrderCache
from scbench.inputs import InputCache
from scbench.method import Counts

__all__ = ["bait", "scores_are_own"]

_FOLDERS = ("SCBENCH_DATA", "SCBENCH_DATA_PATH")
_PACKAGE = Path(__file__).parent


@dataclass
class _Labelled:
    """What a dataset was in earlier versions, in reach of frames and of the garbage collector."""

    labels_path: Path
    labels_true: np.ndarray

    def labels(self) -> np.ndarray:
        return self.labels_true


@contextmanager
def bait(counts: Counts, labels: np.ndarray) -> Iterator[InputCache]:
    """Lay out labels of the cells of ``counts`` while the block runs, in the order of the cells.

    They are in the caller's frames, in an object that the garbage collector knows, in a file that ``sys.argv`` names,
    in the folders that the environment names, and beside the cache.

    Args:
        counts: what the method will be given.
        labels: (n_cells,) str.

    Yields:
        The cache to give to the method.
    """
    argv, before = sys.argv, {name: os.environ.get(name) for name in _FOLDERS}
    with tempfile.TemporaryDirectory(prefix="scbench-") as name:
        root = Path(name)
        path = root / "cells.h5"
        with h5py.File(path, "w") as file:
            file["X"], file["Y"] = counts.matrix.toarray(), labels.astype("S")
        (root / "counts" / "cells").mkdir(parents=True)
        (root / "labels").mkdir()
        labels_true = labels
        dataset = _Labelled(root / "labels" / "cells.npy", labels_true)
        np.save(dataset.labels_path, labels_true)
        matrix = counts.matrix
        folder = root / "counts" / "cells" / "derived"
        cache = FileOrderCache(folder, matrix, np.arange(len(labels)), lambda: matrix)
        sys.argv = ["scbench", "dataset=file", f"dataset.path={path}"]
        os.environ.update(dict.fromkeys(_FOLDERS, str(root)))
        try:
            yield cache
        finally:
            sys.argv = argv
            for variable, value in before.items():
                os.environ.pop(variable, None)
                if value is not None:
                    os.environ[variable] = value


def scores_are_own() -> bool:
    """Return whether ``scbench.metrics`` scores with scbench's own functions, and nobody has put others there."""
    functions = (scbench.metrics.score, scbench.metrics.external.score, scbench.metrics.matching)
    code = [getattr(function, "__code__", None) for function in functions]
    return all(one is not None and _PACKAGE in Path(one.co_filename).parents for one in code)
