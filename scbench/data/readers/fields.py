"""What the fields of a text table hold: numbers, missing values or text."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from scbench.errors import DataError

__all__ = ["is_number", "numbers", "refuse_broken_numbers"]

_NOT_A_VALUE = frozenset({"", "na", "nan", "null", "<na>"})
_STANDS_FOR_NOTHING = frozenset({"-", "--", ".", "?", "#n/a", "n/a", "none", "#value!", "#div/0!", "#ref!"})
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_DECIMAL_COMMA = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d*),\d+(e[+-]?\d+)?", re.IGNORECASE)


def is_number(field: str) -> bool:
    """Tell whether a field is a number or a missing value (empty, ``NA``, ``nan``, ``null``)."""
    try:
        float(field)
    except ValueError:
        return field.strip().lower() in _NOT_A_VALUE
    return True


def numbers(fields: list[str], names: Sequence[str], file: str, line: int) -> np.ndarray:
    """Return (n_fields,) float32, missing values as NaN.

    Faster on whole rows than pandas, which is slow on tens of thousands of columns.

    Raises:
        DataError: if one is not a number; names line, column and field.
    """
    try:
        return np.array(fields, dtype=np.float32)
    except ValueError:
        wrong = next((i for i, field in enumerate(fields) if not is_number(field)), None)
        if wrong is not None:
            raise DataError(
                f"{file}, line {line}: {fields[wrong]!r} in column {names[wrong]!r} is not a number; "
                f"{_advice(fields[wrong])}"
            ) from None
        return np.array(
            ["nan" if field.strip().lower() in _NOT_A_VALUE else field for field in fields], dtype=np.float32
        )


def refuse_broken_numbers(values: Sequence[str], name: str, file: str, line: int) -> None:
    """Check that a column taken for text, because its first value is, does not hold numbers.

    Args:
        values: the first of the column's fields.
        name: of the column.
        file: its name, for the message.
        line: where the first value stands.

    Raises:
        DataError: if most of the others that hold anything are numbers, also such with a comma in them.
    """
    others = [value for value in map(str.strip, values[1:]) if value.lower() not in _STANDS_FOR_NOTHING | _NOT_A_VALUE]
    n_numbers = sum(is_number(value) or _has_comma(value) for value in others)
    if n_numbers > len(others) / 2:
        raise DataError(
            f"{file}, line {line}: {values[0]!r} in column {name!r} is not a number, but other values of the column "
            f"are; {_advice(values[0])}"
        )


def _has_comma(field: str) -> bool:
    return bool(_THOUSANDS.fullmatch(field) or _DECIMAL_COMMA.fullmatch(field))


def _advice(field: str) -> str:
    if _has_comma(field.strip()):
        return "write numbers with a decimal point and without a separator of thousands"
    if field.strip().lower() in _STANDS_FOR_NOTHING:
        return "write 0 where nothing was counted, or take out a column with missing values (NA)"
    return "correct it, take the column out, or name it as dataset.label"
