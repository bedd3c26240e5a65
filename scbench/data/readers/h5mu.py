"""MuData files (h5mu): one AnnData for each modality, and a table of all cells."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers.anndata_table import column, column_names, index
from scbench.data.readers.h5ad import read_anndata
from scbench.data.readers.hdf5 import entry, open_h5
from scbench.data.readers.labels import NO_LABELS, choose_column, text_labels
from scbench.data.readers.pairing import pair
from scbench.errors import DataError
from scbench.names import nearest

__all__ = ["read"]

_DEFAULT = "rna"


def read(path: Path, source: SourceFile, *, label: str | None, label_path: Path | None = None) -> LabelledCounts:
    """Return the modality ``source.modality`` (default: ``rna``, or the only one) of an h5mu file.

    Labels are looked for in the ``obs`` of the modality, then in that of the whole, whose cells are matched by name.

    Raises:
        DataError: if the file is damaged, there is no such modality, or a part is missing or of the wrong length.
    """
    with open_h5(path, source.member) as file:
        modalities = entry(file, "mod", path.name)
        chosen = _chosen(list(modalities), source.modality, path.name)
        others = [name for name in modalities if name != chosen]
        said = (f"{path.name}: modality {chosen!r} is read, {', '.join(others)} left out",) if others else ()
        counts = read_anndata(modalities[chosen], path.name, source, NO_LABELS)
        counts = dataclasses.replace(counts, warnings=(*said, *counts.warnings))
        if label == NO_LABELS:
            return counts
        own, whole = modalities[chosen]["obs"], file.get("obs")
        names = {name: name for name in column_names(own)}
        if whole is not None:
            # The table of the whole holds the columns of each modality once more, as modality:column.
            names |= {name: f"/{name}" for name in column_names(whole) if name not in names}
        column_name = choose_column(names, label, path.name)
        if names[column_name] == column_name:
            values, told = column(own, column_name, path.name)
            labels = text_labels(values)
        else:
            values, told = column(whole, column_name, path.name)
            of_whole = index(whole, path.name)
            rows = {} if of_whole is None else {"": of_whole}
            pairing = pair(counts.cells, rows, len(values), counts.matrix.shape[0], file=f"obs of {path.name}")
            labels = text_labels(pairing.take(values))
    return dataclasses.replace(counts, labels=labels, labels_from=repr(column_name), warnings=(*counts.warnings, *told))


def _chosen(modalities: list[str], wanted: str | None, file: str) -> str:
    """Return the name of the modality.

    Raises:
        DataError: when there is none of that name; lists those there.
    """
    if wanted is None and len(modalities) == 1:
        return modalities[0]
    name = wanted or _DEFAULT
    if name in modalities:
        return name
    close = nearest(name, modalities)
    hint = f" Did you mean {close!r}?" if close else ""
    raise DataError(
        f"{file} has no modality {name!r}.{hint} Modalities there: {', '.join(modalities) or 'none'}. Set "
        "dataset.modality to the one of the RNA"
    )
