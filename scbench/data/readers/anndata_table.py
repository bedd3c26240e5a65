"""The tables ``obs`` and ``var`` of an AnnData file, read column by column, also where other programs wrote them.

anndata's reader reads the whole table and needs every encoding attribute; a file of an R or Julia package lacks some,
and one unreadable column nobody asked for would make the file unreadable. So only names and the wanted column are read.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scbench.data.readers.declared import stored_values
from scbench.data.readers.hdf5_columns import column_values, is_group
from scbench.data.readers.labels import text_names
from scbench.errors import DataError

__all__ = ["attribute", "column", "column_names", "index"]

_CATEGORIES_OF_OLD = "__categories"
_USUAL_INDEX = ("_index", "index", "obs_names", "var_names", "barcodes", "cell_names", "gene_names", "rownames")


def attribute(item: Any, name: str) -> Any:
    """Return an attribute as plain Python, None without it; R packages write texts as arrays of length 1."""
    value = item.attrs.get(name)
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(-1)[0]
    return value.decode() if isinstance(value, bytes) else value


def index(table: Any, file: str) -> np.ndarray | None:
    """Return the names of the rows, (n_rows,) object array of str, or None when the table has none.

    Raises:
        DataError: when they cannot be read.
    """
    place = _index_place(table)
    return None if place is None else text_names(column(table, place, file)[0])


def column_names(table: Any) -> list[str]:
    """Return the names of the columns, in their order where the file has it."""
    order = table.attrs.get("column-order")
    members = [name for name in table if name not in (_index_place(table), _CATEGORIES_OF_OLD)]
    if order is None:
        return members
    named = [name.decode() if isinstance(name, bytes) else str(name) for name in np.atleast_1d(order)]
    ordered = [name for name in named if name in table]
    return ordered or members


def column(table: Any, name: str, file: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the values of one column, None where one is missing, and what there is to say of them.

    Raises:
        DataError: when the column is of a kind that is not known.
    """
    item = table[name]
    if is_group(item):
        if "codes" in item and "categories" in item:
            return _named(item["codes"], item["categories"], name, file), ()
        if "values" in item and "mask" in item:
            values = stored_values(item["values"], file).astype(object)
            values[stored_values(item["mask"], file).astype(bool)] = None
            return values, ()
        raise DataError(
            f"{file}: column {name!r} is a group of {', '.join(list(item)[:5]) or 'nothing'}, which is no column of "
            "AnnData; name another column"
        )
    categories = _categories_of_old(table, item, name)
    return column_values(item, name, file) if categories is None else (_named(item, categories, name, file), ())


def _index_place(table: Any) -> str | None:
    named = attribute(table, "_index")
    return next((name for name in (named, *_USUAL_INDEX) if isinstance(name, str) and name in table), None)


def _named(codes: Any, categories: Any, name: str, file: str) -> np.ndarray:
    """Return the category of each code; what is below 0 is missing."""
    names = [*column_values(categories, name, file)[0].tolist(), None]
    numbers = stored_values(codes, file).reshape(-1).astype(np.int64)
    if numbers.size and numbers.max() >= len(names) - 1:
        raise DataError(
            f"{file}: column {name!r} has the code {numbers.max()} and {len(names) - 1} categories; write the file "
            "again"
        )
    picked = np.empty(len(names), dtype=object)
    picked[:] = names
    return picked[np.where(numbers < 0, -1, numbers)]


def _categories_of_old(table: Any, item: Any, name: str) -> Any:
    """Return the categories that files of anndata 0.7 keep beside the columns, None for a plain column."""
    old = table.get(_CATEGORIES_OF_OLD)
    if is_group(old) and name in old:
        return old[name]
    reference = item.attrs.get("categories")
    return None if reference is None or not hasattr(table, "file") else table.file[reference]
