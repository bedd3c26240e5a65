"""Whole records for the tests of stores and archives."""

from __future__ import annotations

import hashlib
from typing import Any

from scbench.metrics.registry import SCORES
from scbench.store.record import canonical_json


def whole_record(status: str = "ok", **more: Any) -> dict[str, Any]:
    """Return a record with every field, whose key follows from the others unless it is given."""
    is_ok = status == "ok"
    record = {
        "schema": 1, "method": "m", "variant": "default", "dataset": "d", "protocol": "honest", "seed": 0,
        "status": status, "error": None if is_ok else {"type": "E", "message": "m", "traceback": ""},
        "n_cells": 60, "n_genes": 20, "n_types": 3, "n_clusters_requested": 3, "n_clusters_rule": "true",
        "n_clusters_found": 3 if is_ok else None, "metrics": dict.fromkeys(SCORES, 0.5 if is_ok else None),
        "best_epoch": None, "seconds": {"load": 0.1, "preprocess": 0.1, "fit": 1.0, "score": 0.0, "total": 1.2},
        "peak_rss_bytes": 2**28, "peak_gpu_bytes": None, "device": "cpu", "threads": 1, "params": {"k": 1},
        "preset": None, "tuned_with_labels": False, "info": {},
        "data": {"sha256": "ab" * 32, "source": "d.h5", "preprocessing": {"reader": "h5"}},
        "provenance": {"scbench": "0.1.0", "started_at": "2026-11-30T10:00:00+00:00", "argv": ["scbench"]},
        **more,
    }  # fmt: skip
    return record if "key" in more else record | {"key": key_of(record)}


def key_of(record: dict[str, Any]) -> str:
    """Return the key that a record should have."""
    identity = {
        **{name: record[name] for name in ("schema", "method", "variant", "params", "protocol", "seed")},
        "data": record["data"]["sha256"],
        "preprocessing": record["data"]["preprocessing"],
        "k": {"rule": record["n_clusters_rule"], "n_clusters": record["n_clusters_requested"]},
    }
    return hashlib.sha256(canonical_json(identity).encode()).hexdigest()
