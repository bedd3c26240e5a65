"""One file of a run's folder, ``record.json``: written whole or not at all, and read with suspicion."""

from __future__ import annotations

import json
import logging
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scbench.renames import current_record
from scbench.store.record import SCHEMA
from scbench.store.record_check import what_is_wrong
from scbench.store.record_text import LARGEST_RECORD, parsed_record, shown

__all__ = ["json_ready", "read_record", "write_json"]

_USUAL_BYTES = 1 << 16
_LOG = logging.getLogger("scbench.store.store")


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write JSON so that the file is whole on the disk or absent; NaN becomes null, which is what it means here."""
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(json_ready(content), file, indent=1, allow_nan=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def json_ready(value: Any) -> Any:
    """Return a value as plain JSON content (``Any``: of unknown shape): what a method reports cannot cost a record.

    Non-finite numbers become null, numpy scalars Python ones, and anything that JSON does not know its text.
    """
    if isinstance(value, Mapping):
        return {str(key): json_ready(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [json_ready(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str | int):
        return str(value) if isinstance(value, str) else int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "size", 0) == 1:
        return json_ready(item())
    return str(value)


def read_record(folder: Path) -> dict[str, Any] | None:
    """Return the record in a run's folder, or None, with a logged warning, when it is missing, damaged or foreign.

    Its parameters have the names that they have now. Damaged is one with a field that no run of ours has, such as an
    ARI of 99: no table and no page meets it.
    """
    path = folder / "record.json"
    try:
        with path.open("rb", buffering=0) as file:
            content = file.read(_USUAL_BYTES)
            if len(content) == _USUAL_BYTES:  # room for the largest one is made only when it comes
                content += file.read(LARGEST_RECORD) or b""
        record = parsed_record(content)
    except FileNotFoundError:
        if folder.exists():
            _LOG.warning("%s holds no record.json; the run counts as not done", folder)
        return None
    except (OSError, ValueError) as error:
        _LOG.warning("%s cannot be read (%s); the run counts as not done", path, error)
        return None
    if "schema" not in record or record["schema"] != SCHEMA:
        found = shown(record["schema"]) if "schema" in record else "none"
        _LOG.warning("%s has schema %s, this version reads %s; it is left out", path, found, SCHEMA)
        return None
    if wrong := what_is_wrong(record):
        _LOG.warning("%s is damaged (%s); the run counts as not done", path, wrong)
        return None
    return current_record(record)
