"""A user's R file: ``.rds``, ``.rda`` or ``.RData`` with a Seurat object, one of Bioconductor, a matrix, or a list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers.labels import NO_LABELS
from scbench.data.readers.orientation import CELLS_BY_GENES
from scbench.data.readers.r_files.bare import read_bare
from scbench.data.readers.r_files.container import CannotHoldError, Container
from scbench.data.readers.r_files.conversion import not_read
from scbench.data.readers.r_files.descriptions import Descriptions, described
from scbench.data.readers.r_files.experiment import (
    is_experiment,
    is_expression_set,
    read_experiment,
    read_expression_set,
)
from scbench.data.readers.r_files.label_file import label_tables
from scbench.data.readers.r_files.labels import labelled
from scbench.data.readers.r_files.node import RNode
from scbench.data.readers.r_files.objects import THE_OBJECT, NotReadError, load_r, placed
from scbench.data.readers.r_files.seurat import is_seurat, read_seurat
from scbench.errors import DataError

__all__ = ["read"]

_CONTAINERS: tuple[tuple[Callable[[RNode], bool], Callable[[RNode, str | None, str, str], Container]], ...] = (
    (is_seurat, read_seurat),
    (is_experiment, read_experiment),
    (is_expression_set, read_expression_set),
)
_OLD_SEURAT = "seurat"  # version 2, before the class had a capital
_ANY = "r_file"
_USUAL = ("cell_type1",)  # of scater and SC3


def read(path: Path, source: SourceFile, *, label: str | None, label_path: Path | None = None) -> LabelledCounts:
    """Return what an R file holds.

    - A Seurat object: counts of the active assay, labels in ``meta.data`` or ``ident``; see ``r_seurat``.
    - A SingleCellExperiment, ExpressionSet or CellDataSet: ``counts``, labels in ``colData``; see ``r_experiment``.
    - Otherwise the matrix in it, with labels from a data frame or vector beside it; see ``r_bare``.

    Raises:
        DataError: if the file cannot be read, holds something else, or several parts could be meant.
    """
    try:
        objects = load_r(path)
    except NotReadError as error:
        if source.reader == _ANY:
            raise
        raise not_read(path, source.reader, f"rdata says {' '.join(str(error.__cause__).split())[:200]!r}") from error
    every = placed(objects)
    holders = {place: node for place, node in every.items() if any(is_one(node) for is_one, _ in _CONTAINERS)}
    if holders and (source.matrix not in every or source.matrix in holders):
        return _of_container(holders, every, path, source, label, label_path)
    _refuse_unread(every, path)
    return read_bare(objects, every, path, source, label, label_path)


def _of_container(
    holders: Mapping[str, RNode],
    every: Mapping[str, RNode],
    path: Path,
    source: SourceFile,
    label: str | None,
    label_path: Path | None,
) -> LabelledCounts:
    """Return the matrix of an object of a single-cell package."""
    file = path.name
    place, wanted = _holder(holders, source.matrix, file)
    node = holders[place]
    if source.orientation == CELLS_BY_GENES:
        raise DataError(f"{file} holds a {node.class_name} object, whose rows are genes; leave dataset.orientation out")
    reads = next(reads for is_one, reads in _CONTAINERS if is_one(node))
    try:
        held = reads(node, wanted, file, "" if len(holders) == 1 else f"{place}/")
    except CannotHoldError as error:
        raise not_read(path, node.class_name, str(error)) from error
    counts = held.matrix.counts(said=held.said)
    if label == NO_LABELS:
        return counts
    tables = [held.cells]
    if label_path is None:
        tables += [table for table in _others(every, holders) if label in (*table.columns, table.name)]
    else:
        tables, label = label_tables(label_path, label, held.matrix)
        file = label_path.name
    by_order, is_second = source.label_order == "file", label_path is not None
    return labelled(counts, tables, label, file, usual=_USUAL, by_order=by_order, is_second=is_second)


def _others(every: Mapping[str, RNode], holders: Mapping[str, RNode]) -> list[Descriptions]:
    """Return what else may describe the cells: objects beside that of the package."""
    tables = [described(node, place) for place, node in every.items() if place not in holders]
    return [table for table in tables if table is not None]


def _holder(holders: Mapping[str, RNode], wanted: str | None, file: str) -> tuple[str, str | None]:
    """Return the object that is read, and what is wanted of it.

    Raises:
        DataError: if there are several and none is named.
    """
    for place in holders:
        if wanted == place:
            return place, None
        if wanted is not None and wanted.startswith(f"{place}/"):
            return place, wanted[len(place) + 1 :]
    if len(holders) == 1:
        return next(iter(holders)), wanted
    listed = ", ".join(f"{place} ({node.class_name})" for place, node in holders.items())
    raise DataError(
        f"{file} holds {len(holders)} objects: {listed}; set dataset.matrix to one of them, or to <object>/<assay>"
    )


def _refuse_unread(every: Mapping[str, RNode], path: Path) -> None:
    """Refuse a file whose only object is of a class that is not read.

    Raises:
        DataError: then; says how to convert it.
    """
    node = every.get(THE_OBJECT) or (next(iter(every.values())) if len(every) == 1 else None)
    if node is not None and node.kind == "S4" and node.class_name == _OLD_SEURAT:
        raise not_read(path, _OLD_SEURAT, "an object of Seurat 2")
