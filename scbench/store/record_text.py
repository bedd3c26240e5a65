"""The text of a record: of bounded size and depth, numbers that are finite, and nothing said twice."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Iterable
from typing import Any

__all__ = ["LARGEST_RECORD", "parsed_record", "shown"]

LARGEST_RECORD = 8 << 20  # bytes; a record has some thousand
_MANY = 200_000  # values: each takes some 70 bytes of memory, however short its text is
_FEW_BYTES = 1 << 18  # such a text cannot hold many
_DEEPEST = 32  # levels; tables and pages walk through records by recursion
_LARGEST_NUMBER = 1e300  # sums of them stay finite

_short = reprlib.Repr()
_short.maxstring = _short.maxother = _short.maxlong = 60
_short.maxdict = _short.maxlist = _short.maxlevel = 2


def shown(value: object) -> str:
    """Return a value that came from elsewhere as short text of one line, without control characters."""
    return _short.repr(value)


def parsed_record(content: bytes, *, once: bool = False) -> dict[str, Any]:
    """Return the content of a ``record.json``; characters that no text file can hold are replaced.

    Args:
        content: of the file.
        once: refuse a name that stands twice in a mapping; otherwise the last one counts, as everywhere in JSON.

    Raises:
        ValueError: it is too large, no JSON, no mapping, nested too deeply, or holds a number that is not finite.
    """
    if len(content) > LARGEST_RECORD:
        raise ValueError(f"it is larger than {LARGEST_RECORD >> 20} MiB")
    if len(content) > _FEW_BYTES and sum(map(content.count, (b",", b"[", b"{"))) > _MANY:
        raise ValueError(f"it holds more than {_MANY} values")
    text = content.decode("utf-8")
    try:
        record = (_ONCE if once else _ANY).decode(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if type(record) is not dict:
        raise ValueError(f"it is {shown(record)}; expected a mapping")
    if not _is_sound(record.values(), 0):
        raise ValueError(_unsound(record, "", 0))
    return _without_surrogates(record) if "\\ud" in text or "\\uD" in text else record


def _is_sound(values: Iterable[Any], depth: int) -> bool:
    """Return whether numbers can be averaged and levels can be walked through."""
    for value in values:
        kind = type(value)
        if kind is str or value is None or kind is bool:
            continue
        if kind is dict:
            if depth == _DEEPEST or not _is_sound(value.values(), depth + 1):
                return False
        elif kind is list:
            if depth == _DEEPEST or not _is_sound(value, depth + 1):
                return False
        elif not -_LARGEST_NUMBER < value < _LARGEST_NUMBER:
            return False
    return True


def _unsound(node: dict[str, Any] | list[Any], place: str, depth: int) -> str:
    """Return which value is none that :func:`_is_sound` takes, and what it is; empty for none."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        here = f"{place}{key}"
        if isinstance(value, dict | list):
            found = "is nested too deeply" if depth == _DEEPEST else _unsound(value, f"{here}.", depth + 1)
            if found:
                return f"{shown(here)} {found}" if depth == _DEEPEST else found
        elif isinstance(value, int | float) and not -_LARGEST_NUMBER < value < _LARGEST_NUMBER:
            return f"{shown(here)} is {shown(value)}; expected a finite number"
    return ""


def _without_surrogates(value: Any) -> Any:  # Any: whatever a record holds
    """Return a value whose texts can be written to a file: what is half a character becomes U+FFFD."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_without_surrogates(one) for one in value]
    if isinstance(value, dict):
        return {_without_surrogates(name): _without_surrogates(one) for name, one in value.items()}
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"it holds {constant}; expected finite numbers and null")


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a mapping of different names."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"it names {shown(next(name for name in names if names.count(name) > 1))} twice")
    return found


_ANY = json.JSONDecoder(parse_constant=_refuse)
_ONCE = json.JSONDecoder(parse_constant=_refuse, object_pairs_hook=_each_once)
