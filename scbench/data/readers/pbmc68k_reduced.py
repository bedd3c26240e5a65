"""The 700 real cells that scanpy carries, with their integer counts recovered."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers import h5ad_old
from scbench.data.readers.declared import stored_values
from scbench.data.readers.hdf5 import entry, open_h5
from scbench.errors import DataError

__all__ = ["read"]

_SCALE = 1e4  # counts per cell to which the file was normalised
_TOLERANCE = 0.1  # the largest distance in the shipped file is 0.082: its values have three decimals


def read(path: Path, source: SourceFile, *, label: str | None, label_path: Path | None = None) -> LabelledCounts:
    """Return 700 cells x 765 genes of PBMC; labels ``bulk_labels``.

    ``raw.X`` holds ln(1 + 1e4 * count / n_counts), so count = rint(expm1(raw.X) * n_counts / 1e4), where
    n_counts is the cell's total over all genes. The values returned are therefore not those of the file.

    Raises:
        DataError: if the file is damaged or a recovered count lies further than 0.1 from a whole number.
    """
    from_raw = SourceFile(reader="h5ad_old", matrix="raw", member=source.member)
    stored = h5ad_old.read(path, from_raw, label=label or "bulk_labels", label_path=label_path)
    with open_h5(path, source.member) as file:
        obs = stored_values(entry(file, "obs", path.name), path.name)
    if "n_counts" not in (obs.dtype.names or ()):
        raise DataError(f"{path.name} has no column n_counts in obs, so its counts cannot be recovered")
    log_norm = stored.matrix
    per_value = np.repeat(obs["n_counts"].astype(np.float64), np.diff(log_norm.indptr))
    exact = np.expm1(log_norm.data.astype(np.float64)) * per_value / _SCALE
    counts = np.rint(exact)
    distance = float(np.abs(exact - counts).max(initial=0.0))
    if not distance <= _TOLERANCE:
        raise DataError(
            f"{path.name}: a recovered count lies {distance:.3g} from a whole number where at most "
            f"{_TOLERANCE} is expected; the file is not the one that scanpy 1.11 ships"
        )
    matrix = csr_matrix((counts.astype(np.float32), log_norm.indices, log_norm.indptr), shape=log_norm.shape)
    matrix.eliminate_zeros()
    return dataclasses.replace(stored, matrix=matrix, warnings=())
