"""What the process of a run leaves in its work folder beside arrays, read with suspicion: a method has worked there."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from scbench.store.record_file import json_ready

__all__ = ["OUTCOME_FILE", "is_outcome", "note_outcome", "take_outcome", "with_outcome"]

OUTCOME_FILE = "outcome.json"
_STATUSES = ("ok", "error", "diverged", "oom", "interrupted")  # that a process can tell of itself
_OF_AN_ERROR = ("type", "message", "traceback")
_LARGEST = 64 << 20  # bytes


def note_outcome(work: Path, outcome: Mapping[str, Any]) -> None:
    """Write how the run went: ``status``, ``error``, ``seconds``, ``info``, ``peak_rss_bytes``, and of a GPU its
    ``gpu`` and ``peak_gpu_bytes``."""
    (work / OUTCOME_FILE).write_text(json.dumps(json_ready(outcome), allow_nan=False), encoding="utf-8")


def take_outcome(work: Path) -> dict[str, Any] | None:
    """Return what a run has left, and remove it; None when there is nothing that can be read."""
    path = work / OUTCOME_FILE
    try:
        if path.is_symlink() or path.stat().st_size > _LARGEST:
            return None
        outcome = json.loads(path.read_text(encoding="utf-8"))
        return outcome if is_outcome(outcome) else None
    except (OSError, ValueError, RecursionError):
        return None
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def with_outcome(record: Mapping[str, Any], outcome: Mapping[str, Any]) -> dict[str, Any]:
    """Return a new record with what a run has left; its scores are made elsewhere."""
    taken = dict(record) | {name: outcome.get(name) for name in ("status", "error", "peak_rss_bytes", "peak_gpu_bytes")}
    taken["info"] = outcome["info"]
    taken["seconds"] = record["seconds"] | {
        name: value for name, value in outcome["seconds"].items() if name in record["seconds"]
    }
    if outcome.get("gpu") is not None:
        taken["provenance"] = record["provenance"] | {"gpu": outcome["gpu"]}
    return taken


def is_outcome(outcome: Any) -> bool:
    """Return whether something, whatever it is, has the fields of an outcome, of the right kinds."""
    if not isinstance(outcome, dict):
        return False
    status, error, seconds = (outcome.get(name) for name in ("status", "error", "seconds"))
    tells_error = isinstance(error, dict) and all(isinstance(error.get(name), str) for name in _OF_AN_ERROR)
    return (
        isinstance(status, str)
        and status in _STATUSES
        and (error is None if status == "ok" else tells_error)
        and isinstance(seconds, dict)
        and all(value is None or _is_number(value) for value in seconds.values())
        and all(outcome.get(name) is None or _is_number(outcome[name]) for name in ("peak_rss_bytes", "peak_gpu_bytes"))
        and isinstance(outcome.get("gpu"), str | None)
        and isinstance(outcome.get("info"), dict)
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
