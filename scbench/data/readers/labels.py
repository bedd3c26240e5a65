"""Labels and names as text, and the choice of the label column."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np

from scbench.errors import DataError
from scbench.names import nearest

__all__ = [
    "NO_LABELS",
    "USUAL",
    "check_length",
    "check_names",
    "choose_column",
    "plain",
    "shown",
    "text_labels",
    "text_names",
    "usual_column",
]

NO_LABELS = "none"
"""The label column that stands for "read no labels"."""

USUAL = ("celltype", "celltype1", "cellontologyclass", "celllabel", "label", "labels")
"""Usual names of a label column, best first, compared without case, ``_``, ``.``, ``-`` and spaces."""

_MISSING = frozenset({"", "NA", "NaN", "nan", "<NA>", "N/A", "n/a", "#N/A", "None", "null", "NULL", "-2147483648"})
_NA_IN_BYTES = -128
_LIST_AT_MOST = 20
_CHARACTERS_AT_MOST = 60


def text_labels(values: Iterable[Any]) -> np.ndarray:
    """Return labels as an object array of str, None where one is missing.

    Bytes are decoded, whole floats lose their ``.0``, blanks around a label are taken off. Missing are None, NaN,
    masked values, the spellings ``""``, ``NA``, ``N/A``, ``nan``, ``None`` and ``null``, and R's NA: -2147483648, and
    -128 among bytes.
    (Any: whatever a file format stores.)
    """
    values = _without_na_of_r(values)
    known: dict[Any, str | None] = {}
    flat = _flat(values)
    out = np.empty(len(flat), dtype=object)
    for i, value in enumerate(flat):
        if value not in known:
            text = (_text(value) or "").strip()
            known[value] = None if text in _MISSING else text
        out[i] = known[value]
    return out


def text_names(values: Iterable[Any]) -> np.ndarray:
    """Return gene or cell names as an object array of str (a missing one becomes ``NA``)."""
    flat = _flat(values)
    out = np.empty(len(flat), dtype=object)
    for i, value in enumerate(flat):
        text = _text(value)
        out[i] = "NA" if text is None else text
    return out


def shown(name: str) -> str:
    """Return a name for a message, cut where it is long."""
    return name if len(name) <= _CHARACTERS_AT_MOST else f"{name[: _CHARACTERS_AT_MOST - 3]}..."


def plain(column: str) -> str:
    """Return the name of a column in small letters, without ``_``, ``.``, ``-`` and spaces."""
    return column.lower().translate(str.maketrans("", "", "_.- "))


def usual_column(columns: Iterable[str]) -> str | None:
    """Return the column that bears a usual label name, or None."""
    known: dict[str, str] = {}
    for column in columns:
        known.setdefault(plain(column), column)
    return next((known[name] for name in USUAL if name in known), None)


def choose_column(
    columns: Collection[str], label: str | None, file: str, *, usual: Sequence[str] = (), advice: str = ""
) -> str:
    """Return the name of the label column.

    Args:
        columns: what the file has.
        label: the wanted one; None takes the first of ``usual`` that is there, or else a usual name.
        file: name of the file, for the message.
        usual: names that this format uses, best first.
        advice: what else can be done, at the end of the message.

    Raises:
        DataError: if it is not there; the message lists the columns and the nearest one.
    """
    if label is None:
        found = next((name for name in usual if name in columns), None) or usual_column(columns)
        if found is not None:
            return found
    elif label in columns:
        return label
    wanted = label if label is not None else (usual[0] if usual else "cell_type")
    close = nearest(wanted, columns)
    hint = f" Did you mean {shown(close)!r}?" if close else ""
    first = [shown(column) for column in list(columns)[:_LIST_AT_MOST]]
    more = f" and {len(columns) - len(first)} more" if len(columns) > len(first) else ""
    listed = f" Columns there: {', '.join(first)}{more}." if first else " There are no such columns."
    raise DataError(
        f"{file} has no label column {shown(wanted)!r}.{hint}{listed} "
        f"Set dataset.label to the column of the labels, or to {NO_LABELS} to read no labels{advice}"
    )


def check_length(labels: np.ndarray, n_cells: int, file: str) -> np.ndarray:
    """Return ``labels`` when there is one per cell.

    Raises:
        DataError: otherwise; the message carries both numbers.
    """
    if len(labels) != n_cells:
        raise DataError(
            f"{file} has {n_cells} cells but {len(labels)} labels; its parts do not belong together, so name another "
            "label column or write the file again"
        )
    return labels


def check_names(names: np.ndarray | None, length: int, file: str, of: str) -> None:
    """Check that there are no names or one for each cell or gene.

    Args:
        names: (n_names,) or None.
        length: number of cells or genes.
        file: name of the file, for the message.
        of: ``cells`` or ``genes``.

    Raises:
        DataError: otherwise; the message carries both numbers.
    """
    if names is not None and len(names) != length:
        raise DataError(
            f"{file} has {length} {of} but {len(names)} names of {of}; "
            "its parts do not belong together, so write the file again"
        )


def _without_na_of_r(values: Iterable[Any]) -> Iterable[Any]:
    """Return values with None where they are masked or hold what R writes for NA."""
    if isinstance(values, np.ma.MaskedArray):
        return _masked(np.asarray(values.data), np.ma.getmaskarray(values))
    if not isinstance(values, np.ndarray) or values.dtype != np.int8:
        return values
    return _masked(values, np.asarray(values == _NA_IN_BYTES))


def _masked(values: np.ndarray, is_missing: np.ndarray) -> np.ndarray:
    out = values.astype(object)
    out[is_missing] = None
    return out


def _flat(values: Iterable[Any]) -> list[Any]:
    array = values if isinstance(values, np.ndarray) else np.asarray(list(values), dtype=object)
    flat: list[Any] = array.ravel().tolist()  # plain Python values, so 3 and 3.0 share their text
    return flat


def _text(value: Any) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    if isinstance(value, str):
        return str(value)  # numpy's str_ becomes plain
    if value is None or _differs_from_itself(value):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = str(value)
    return None if text in _MISSING else text


def _differs_from_itself(value: Any) -> bool:
    """Tell whether a value is a missing one: NaN and NaT differ from themselves, and pandas' NA will not say."""
    try:
        return bool(value != value)
    except TypeError:
        return True
