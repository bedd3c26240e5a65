"""The record of a run that comes from elsewhere, looked at before it is believed."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from scbench.run.plan import SCHEMA
from scbench.run.record import FIELDS, METRICS, STATUSES

__all__ = ["DamagedArchiveError", "checked_record"]

_RECORD, _LABELS = "record.json", "labels.npy"
_KEY = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[^/.][^/]*")
_MAPPINGS = ("metrics", "seconds", "params", "data", "provenance")


class DamagedArchiveError(Exception):
    """An archive holds what no store would; the message says what."""


def checked_record(folder: str, contents: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the record of a run after a look at whether it is one and belongs there.

    Args:
        folder: ``<dataset>/<method>/<key[:16]>``.
        contents: the files of the run by name.

    Raises:
        DamagedArchiveError: it is not; the message names the folder.
    """
    try:
        record = json.loads(contents[_RECORD])
        if record["schema"] != SCHEMA:
            raise DamagedArchiveError(
                f"{folder} has a record of schema {record['schema']}, and this version reads {SCHEMA}"
            )
        wrong = _what_is_wrong(record, folder)
    except (KeyError, ValueError, TypeError, RecursionError) as error:
        raise DamagedArchiveError(f"{folder} has no record that can be read ({error})") from error
    if wrong:
        raise DamagedArchiveError(f"the record in {folder} {wrong}")
    if _LABELS in contents:
        _check_labels(folder, contents[_LABELS], record["n_cells"])
    return dict(record)


def _what_is_wrong(record: Mapping[str, Any], folder: str) -> str:
    """Return what keeps a record from being one of this folder; empty for nothing."""
    missing = [name for name in FIELDS if name not in record]
    if missing:
        return f"lacks {', '.join(missing)}"
    named = [record[name] for name in ("dataset", "method")]
    if not all(isinstance(name, str) and _NAME.fullmatch(name) for name in named) or not _KEY.fullmatch(record["key"]):
        return "has a dataset, method or key that is none"
    if (place := "/".join([*named, record["key"][:16]])) != folder:
        return f"is of {place}"
    if record["status"] not in STATUSES:
        return f"has the unknown status {record['status']!r}"
    if not all(isinstance(record[name], dict) for name in _MAPPINGS) or not set(METRICS) <= set(record["metrics"]):
        return "has fields of another shape"
    return ""


def _check_labels(folder: str, content: bytes, n_cells: int) -> None:
    """Refuse labels that are not a whole number for each cell, before room is made for them."""
    file = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
    except (ValueError, EOFError) as error:
        raise DamagedArchiveError(f"the labels in {folder} cannot be read ({error})") from error
    if shape != (n_cells,) or dtype.kind not in "iu":
        raise DamagedArchiveError(f"the labels in {folder} are {dtype} of shape {shape}; the run has {n_cells} cells")
    if len(content) - file.tell() != n_cells * dtype.itemsize:
        raise DamagedArchiveError(f"the labels in {folder} are not whole")
