"""The HDF5 matrices of 10x Cell Ranger, version 2 (one group per genome) and 3 (group ``matrix``)."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers.declared import stored_values
from scbench.data.readers.hdf5 import entry, open_h5, read_compressed
from scbench.data.readers.labels import text_names
from scbench.data.readers.tenx import keep_expression, refuse_label
from scbench.errors import DataError

__all__ = ["is_tenx", "read"]


def read(path: Path, source: SourceFile, *, label: str | None, label_path: Path | None = None) -> LabelledCounts:
    """Return a Cell Ranger matrix; labels can only come from a second file.

    Symbols name the genes, identifiers those without one. Features that are no genes (antibodies, guides) are left out.

    Raises:
        DataError: if the file is damaged, a part is missing, a label column is asked for, or a version 2 file
            holds several genomes and ``source.matrix`` names none of them.
    """
    refuse_label(label, path.name)
    with open_h5(path, source.member) as file:
        group = file[_group(file, source.matrix, path.name)]
        shape = stored_values(entry(group, "shape", path.name), path.name)
        # Stored genes x cells by columns, which is cells x genes by rows.
        matrix = read_compressed(group, path.name, shape=(int(shape[1]), int(shape[0])))
        cells = text_names(stored_values(entry(group, "barcodes", path.name), path.name))
        features = group.get("features")
        kinds = None
        if isinstance(features, h5py.Group):
            genes = _names(features, "name", "id", path.name)
            if "feature_type" in features:
                kinds = text_names(stored_values(features["feature_type"], path.name))
        else:
            genes = _names(group, "gene_names", "genes", path.name)
    return keep_expression(matrix, genes, cells, kinds, path.name)


def is_tenx(item: object) -> bool:
    """Tell whether an HDF5 member is a Cell Ranger matrix."""
    return isinstance(item, h5py.Group) and {"data", "indices", "indptr", "barcodes"} <= set(item)


def _names(group: h5py.Group, symbols: str, identifiers: str, file: str) -> np.ndarray:
    """Return symbols, and identifiers where there is none.

    Raises:
        DataError: if the file has neither.
    """
    if symbols not in group and identifiers in group:
        return text_names(stored_values(group[identifiers], file))
    names = text_names(stored_values(entry(group, symbols, file), file))
    if identifiers not in group or all(names):
        return names
    others = text_names(stored_values(group[identifiers], file))
    return np.where(names == "", others, names) if len(others) == len(names) else names


def _group(file: h5py.File, wanted: str | None, name: str) -> str:
    found: list[str] = [key for key in file if is_tenx(file[key])]
    if wanted in found or (wanted is None and len(found) == 1):
        return wanted or found[0]
    if not found:
        raise DataError(f"{name} holds no Cell Ranger matrix. Found: {', '.join(file)}. Name another reader")
    raise DataError(
        f"{name} holds {len(found)} matrices ({', '.join(found)}), none called {wanted!r}; name one: dataset.matrix="
    )
