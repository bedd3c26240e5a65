"""The record of a run that comes from elsewhere, looked at before it is believed."""

from __future__ import annotations

import re
from typing import Any

from scbench.store.record import SCHEMA
from scbench.store.record_check import what_is_wrong
from scbench.store.record_key import wrong_key
from scbench.store.record_text import parsed_record, shown

__all__ = ["DamagedArchiveError", "OversizeError", "checked_record", "is_restored"]

_KEY = re.compile(r"[0-9a-f]{64}")


class DamagedArchiveError(Exception):
    """An archive holds what no store would; the message says what."""


class OversizeError(DamagedArchiveError):
    """An archive holds more than is allowed."""


def checked_record(folder: str, content: bytes) -> dict[str, Any]:
    """Return the record of a run after a look at whether it is one and belongs there.

    Its key is made anew from what the record says, and every field has to have the type and range of a run's.

    Args:
        folder: ``<dataset>/<method>/<key[:16]>``.
        content: of its ``record.json``.

    Raises:
        DamagedArchiveError: it is not; the message names file, field and what was found.
    """
    file = f"{folder}/record.json"
    try:
        record = parsed_record(content, once=True)
    except ValueError as error:
        raise DamagedArchiveError(f"{file} cannot be read ({error})") from None
    if record.get("schema") != SCHEMA or type(record["schema"]) is not int:
        found = f"has schema {shown(record['schema'])}" if "schema" in record else "has no schema"
        raise DamagedArchiveError(f"{file} {found}, and this version reads {SCHEMA}")
    wrong = what_is_wrong(record) or _misplaced(record, folder) or wrong_key(record)
    if wrong:
        raise DamagedArchiveError(f"{file}: {wrong}")
    return record


def is_restored(record: dict[str, Any]) -> bool:
    """Return whether a record says that it was made from a report after its arrays were lost."""
    return type(record["provenance"].get("restored_from")) is str


def _misplaced(record: dict[str, Any], folder: str) -> str:
    """Return what keeps a whole record from being one of this folder; empty for nothing."""
    if not _KEY.fullmatch(record["key"]):
        return f"key is {shown(record['key'])}; expected 64 hex digits"
    place = f"{record['dataset']}/{record['method']}/{record['key'][:16]}"
    return "" if place == folder else f"it is of {shown(place)}"
