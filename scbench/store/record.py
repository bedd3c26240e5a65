"""The record of a run: its fields, the statuses that a run can end with, and the JSON that keys are made of."""

from __future__ import annotations

import json
import traceback
from collections.abc import Mapping
from typing import Any

__all__ = ["FIELDS", "SCHEMA", "STATUSES", "canonical_json", "error_of", "first_line", "is_failure"]

SCHEMA = 1


def canonical_json(value: Mapping[str, Any]) -> str:
    """Return JSON that does not depend on the order of keys; NaN and infinity are refused."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


STATUSES = ("ok", "error", "diverged", "oom", "timeout", "crashed", "interrupted")


# What a record must have to be read. "n_clusters_rule", "n_clusters_evidence", "info", "preset", "tuned_with_labels"
# and "row_order" are extras. Keys do not tell the rules of row order apart: each is a random order, so a result of one
# is one of the other.
FIELDS = (
    "schema",
    "key",
    "method",
    "variant",
    "dataset",
    "protocol",
    "seed",
    "status",
    "error",
    "n_cells",
    "n_genes",
    "n_types",
    "n_clusters_requested",
    "n_clusters_found",
    "metrics",
    "best_epoch",
    "seconds",
    "peak_rss_bytes",
    "peak_gpu_bytes",
    "device",
    "threads",
    "params",
    "data",
    "provenance",
)


def error_of(error: BaseException) -> dict[str, str]:
    """Return type, message and traceback of an exception as a record keeps them."""
    name = type(error).__name__
    try:
        message = str(error).strip() or name
    except Exception:  # a broken __str__ must not hide the failure
        message = f"{name} (its message cannot be shown)"
    try:
        text = "".join(traceback.format_exception(error))
    except Exception:
        text = "".join(traceback.format_tb(error.__traceback__))
    return {"type": name, "message": message, "traceback": text}


def is_failure(record: Mapping[str, Any]) -> bool:
    """Return whether a run failed; one that was interrupted has neither failed nor succeeded."""
    return record["status"] not in ("ok", "interrupted")


def first_line(message: str) -> str:
    """Return the first line of a message that says something."""
    return next((line.strip() for line in message.splitlines() if line.strip()), "(no message)")
