"""The label column of an R file, and its values in the order of the cells: by names, else by position."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from scbench.data.labelled import LabelledCounts
from scbench.data.readers.labels import check_length, choose_column, text_labels, usual_column
from scbench.data.readers.pairing import pair
from scbench.data.readers.r_files.descriptions import Descriptions
from scbench.errors import DataError

__all__ = ["label_column", "labelled"]

_IN_ORDER = "dataset.label_order=file"  # is about a second file, which may be the same
_ADVICE = ". Labels in a second file are given as dataset.label_path"


def labelled(
    counts: LabelledCounts,
    tables: Sequence[Descriptions],
    label: str | None,
    file: str,
    *,
    usual: Sequence[str] = (),
    by_order: bool = False,
    is_second: bool = False,
) -> LabelledCounts:
    """Return counts with the labels in a column of one of several tables; see :func:`label_column`.

    Where both have names, a row belongs to the cell of its name.

    Args:
        counts: without labels.
        tables: what describes the cells.
        label: the wanted column.
        file: that holds the tables, for messages.
        usual: names that this format uses, best first.
        by_order: whether the user says that rows are in the order of the cells.
        is_second: whether the file is not that of the counts.

    Raises:
        DataError: if the column is missing, stands in several tables, or does not fit the cells.
    """
    table, column = label_column(tables, label, file, usual)
    values = table.columns[column].values()
    n_cells, cells = counts.matrix.shape[0], counts.cells
    is_named_apart = len(tables) > 1 and table.name.rpartition("/")[2] != column
    where = f"{table.name} of {file}" if is_named_apart else file
    origin = f"{column!r} of {table.name}" if is_named_apart else repr(column)
    naming = table.naming(column, cells)
    said: list[str] = []
    how = ""
    if not naming:
        values, how = check_length(values, n_cells, file), " in the order of its rows"
    elif cells is None or "" not in naming or not np.array_equal(naming[""], cells):
        try:
            pairing = pair(cells, naming, table.n_rows, n_cells, file=where, by_order=by_order)
        except DataError as error:
            if is_second or _IN_ORDER not in str(error):
                raise
            raise DataError(f"{error} (and {file} as dataset.label_path, too)") from error
        values = pairing.take(values)
        said += [] if pairing.said is None else [pairing.said]
        how = " in the order of its rows" if pairing.is_by_order else ""
        if pairing.is_by_order and not by_order and table.are_moved_numbers:
            said.append(
                f"{where}: its rows are numbered, but not in order (the first is {naming[''][0]}), and the matrix "
                "names no cells; they are taken in the order of the file"
            )
    if is_second:
        origin = f"{column!r} of {where}{how}"
    return dataclasses.replace(
        counts, labels=text_labels(values), labels_from=origin, warnings=(*counts.warnings, *said)
    )


def label_column(
    tables: Sequence[Descriptions], label: str | None, file: str, usual: Sequence[str] = ()
) -> tuple[Descriptions, str]:
    """Return the table and the name of the column of the labels.

    ``label`` may also be ``table/column``, or the name of a table of one column. None takes one of ``usual``, a usual
    name, or the only column there is.

    Raises:
        DataError: if there is none, or there are several of that name.
    """
    places: dict[str, list[Descriptions]] = {}
    for table in tables:
        for key in table.columns:
            places.setdefault(key, []).append(table)
    if label is None and len(places) == 1 and usual_column(places) is None:
        label = next(iter(places))
    if label is not None and label not in places:
        named = {f"{table.name}/{key}": (table, key) for table in tables for key in table.columns}
        named |= {table.name: (table, key) for table in tables for key in table.columns if len(table.columns) == 1}
        if label in named:
            return named[label]
    column = choose_column(places, label, file, usual=usual, advice=_ADVICE)
    if len(places[column]) > 1:
        both = ", ".join(table.name if "/" in table.name else f"{table.name}/{column}" for table in places[column])
        raise DataError(
            f"{file} has {len(places[column])} columns {column!r}: {both}; set dataset.label to one of these"
        )
    return places[column][0], column
