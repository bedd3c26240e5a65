"""The matrix among the objects of an R file that is not of a single-cell package, and what describes its cells."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers.labels import NO_LABELS, usual_column
from scbench.data.readers.orientation import GENES_BY_CELLS
from scbench.data.readers.r_files.descriptions import Descriptions, described, frame_columns, row_names
from scbench.data.readers.r_files.frame import without_descriptions
from scbench.data.readers.r_files.label_file import label_tables
from scbench.data.readers.r_files.labels import label_column, labelled
from scbench.data.readers.r_files.matrix import matrix_of, shape_of
from scbench.data.readers.r_files.node import RNode
from scbench.data.readers.r_files.objects import find
from scbench.data.readers.r_files.side import fits, has_genes_in_rows, names_tell
from scbench.errors import DataError

__all__ = ["read_bare"]

_COUNTS = "counts"
_LIST_AT_MOST = 10


def read_bare(
    objects: Mapping[str, RNode],
    every: Mapping[str, RNode],
    path: Path,
    source: SourceFile,
    label: str | None,
    label_path: Path | None,
) -> LabelledCounts:
    """Return the matrix ``source.matrix``, or the only one, with labels from its list, the file or a second file.

    Args:
        objects: of the file.
        every: they and the members of lists, by place.
        path: of the file.
        source: ``matrix``, ``orientation`` and ``label_order`` are used.
        label: column, vector or ``table/column``; None takes a usual name, or the only one.
        label_path: a second file.

    Raises:
        DataError: if the matrix or the labels are missing, or several could be meant.
    """
    file = path.name
    place, said = _place(objects, every, source.matrix, file)
    node = find(objects, place, file)
    matrix = matrix_of(node, place, file)
    own = described(node, place) if frame_columns(node) is not None else None
    in_frame = label_path is None and source.orientation != GENES_BY_CELLS and _holds_labels(own, label)
    if label == NO_LABELS:
        tables: list[Descriptions] = []
    elif label_path is not None:
        likely = names_tell(matrix) is not False if source.orientation is None else source.orientation == GENES_BY_CELLS
        tables, label = label_tables(label_path, label, matrix, genes_in_rows=likely)
    else:
        tables = [own] if own is not None and in_frame else _tables(every, place, label)
    told: tuple[str, ...]
    if in_frame:
        _, label = label_column(tables, label, file)
        in_rows, told = False, (f"{file}: a column of {place} holds the labels, so its rows are cells",)
    else:
        in_rows, told = has_genes_in_rows(matrix, tables, label, source.orientation, place, file)
    counts = matrix.counts(genes_in_rows=in_rows, said=(*said, *told))
    if own is not None:
        counts = without_descriptions(counts, own, in_rows, label if in_frame else None, file)
    if label == NO_LABELS:
        return counts
    if label is None:
        tables = [table for table in tables if _may_label(table, counts, file)]
    holds_labels, by_order = file if label_path is None else label_path.name, source.label_order == "file"
    return labelled(counts, tables, label, holds_labels, by_order=by_order, is_second=label_path is not None)


def _place(
    objects: Mapping[str, RNode], every: Mapping[str, RNode], wanted: str | None, file: str
) -> tuple[str, tuple[str, ...]]:
    """Return the place of the matrix, and a line where others are there.

    Raises:
        DataError: if there is none, or several could be meant; lists them.
    """
    if wanted is not None:
        return wanted, ()
    shapes = {place: shape for place, node in every.items() if (shape := shape_of(node)) is not None and min(shape) > 1}
    plain = [place for place in shapes if frame_columns(every[place]) is None]
    likely = plain or _numeric_frames({place: every[place] for place in shapes}) or list(shapes)
    if len(likely) > 1:
        named = [place for place in likely if place.rpartition("/")[2] == _COUNTS]
        listed = ", ".join(f"{place} ({shapes[place][0]} x {shapes[place][1]})" for place in likely[:_LIST_AT_MOST])
        if len(named) != 1:
            raise DataError(
                f"{file} holds {len(likely)} matrices: {listed}; set dataset.matrix to the one of the counts, and "
                "dataset.label to what holds the labels"
            )
        others = ", ".join(place for place in likely if place != named[0])
        return named[0], (f"{file}: {named[0]} is read; left out: {others} (dataset.matrix=<name> reads another)",)
    if not likely:
        listed = ", ".join(f"{place} ({node.class_name})" for place, node in list(every.items())[:_LIST_AT_MOST])
        raise DataError(
            f"{file} holds no matrix of numbers; found {listed or 'nothing'}. Save one with its labels in R: "
            "saveRDS(list(data=<matrix of genes x cells>, label=<labels of the cells>), 'new.rds')"
        )
    return likely[0], ()


def _numeric_frames(frames: Mapping[str, RNode]) -> list[str]:
    """Return the data frames of numbers, but for a first column of names, that do not describe another's columns."""
    numeric = []
    for place, node in frames.items():
        columns = frame_columns(node) or []
        if all(vector is not None and vector.node.is_numbers for _, vector in columns[1:]):
            numeric.append(place)
    headers = {place: {key for key, _ in frame_columns(frames[place]) or ()} for place in numeric}
    rows = {place: set(names) if (names := row_names(frames[place])[0]) is not None else set() for place in numeric}
    return [place for place in numeric if not any(rows[place] & headers[other] for other in numeric if other != place)]


def _tables(every: Mapping[str, RNode], place: str, label: str | None) -> list[Descriptions]:
    """Return what may describe cells: beside the matrix in its list where the label is there, else anywhere."""
    found = [
        table
        for key, node in every.items()
        if key != place and (table := described(node, key)) is not None and table.n_rows > 1
    ]
    parent = place.rpartition("/")[0]
    beside = [table for table in found if table.name.rpartition("/")[0] == parent]
    if label is None:
        return beside or found
    for tables in (beside, found):
        having = [table for table in tables if label in table.columns or f"{label}/".startswith(f"{table.name}/")]
        if having:
            return having
    return found


def _may_label(table: Descriptions, counts: LabelledCounts, file: str) -> bool:
    """Return whether labels may be in a table when none are named: it fits the cells and does not only name them."""
    if not table.columns or not fits(table, counts.cells, counts.matrix.shape[0], file):
        return False
    if len(table.columns) > 1:
        return True
    words = set(next(iter(table.columns.values())).texts())
    return not any(names is not None and words <= set(names) for names in (counts.cells, counts.genes))


def _holds_labels(frame: Descriptions | None, label: str | None) -> bool:
    """Return whether a data frame of counts has a column of labels, too."""
    return frame is not None and (label in frame.columns or (label is None and usual_column(frame.columns) is not None))
