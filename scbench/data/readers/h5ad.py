"""AnnData files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import h5py

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers import h5ad_old
from scbench.data.readers.h5ad_matrix import choose_matrix, counts_elsewhere
from scbench.data.readers.hdf5 import entry, open_h5, read_matrix
from scbench.data.readers.labels import NO_LABELS, check_length, choose_column, text_labels, text_names

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read"]


def read(path: Path, source: SourceFile, *, label: str | None, label_path: Path | None = None) -> LabelledCounts:
    """Return an h5ad file; only the wanted matrix and the tables ``obs`` and ``var`` are read.

    ``source.matrix`` is ``X`` (default), ``raw`` (the matrix and genes of ``.raw``) or the name of a layer.
    Files older than anndata 0.7 are passed to ``h5ad_old``.

    Raises:
        DataError: if the file is damaged, or a part is missing or of the wrong length.
    """
    with open_h5(path, source.member) as file:
        is_old = isinstance(file.get("obs"), h5py.Dataset)
    if is_old:
        return h5ad_old.read(path, source, label=label, label_path=label_path)
    with open_h5(path, source.member) as file:
        place = choose_matrix(file, source.matrix, path.name)
        matrix = read_matrix(file, place, path.name)
        warnings = counts_elsewhere(file, matrix, path.name) if place == "X" else ()
        obs = _frame(entry(file, "obs", path.name))
        genes = text_names(_frame(entry(file, "raw/var" if place == "raw/X" else "var", path.name)).index)
        labels = None
        if label != NO_LABELS:
            column = choose_column([str(name) for name in obs.columns], label, path.name)
            labels = check_length(text_labels(obs[column]), matrix.shape[0], path.name)
    return LabelledCounts(matrix=matrix, labels=labels, genes=genes, cells=text_names(obs.index), warnings=warnings)


def _frame(group: h5py.Group) -> pd.DataFrame:
    from anndata.io import read_elem

    frame: pd.DataFrame = read_elem(group)
    return frame
