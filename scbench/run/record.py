"""The record of a run: its fields, and the statuses a run can end with."""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Mapping
from typing import Any

from scbench.data.stored_order import ROW_ORDER_RULE
from scbench.run.plan import SCHEMA, PlannedRun

__all__ = [
    "FIELDS",
    "METRICS",
    "STATUSES",
    "error_of",
    "failed_record",
    "first_line",
    "is_failure",
    "new_record",
    "preset_fields",
]

STATUSES = ("ok", "error", "diverged", "oom", "timeout", "crashed", "interrupted")
METRICS = ("acc", "nmi", "ari", "ami", "homogeneity", "completeness", "f1_macro", "nmi_max")
# What a record must have to be read; "n_clusters_rule", "info", "preset", "tuned_with_labels" and "row_order" are
# extras. Keys do not tell the rules of row order apart: each is a random order, so a result of one is one of the other.
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
_SECONDS = ("load", "preprocess", "fit", "score", "total")


def new_record(run: PlannedRun, device: str, threads: int, provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record of a run that has not ended: every field is there, what is unknown is null."""
    dataset = run.dataset
    return {
        "schema": SCHEMA,
        "key": run.key,
        "method": run.config.name,
        "variant": run.config.variant,
        "dataset": dataset.name,
        "protocol": run.protocol,
        "seed": run.seed,
        "status": "crashed",
        "error": None,
        "n_cells": dataset.n_cells,
        "n_genes": dataset.n_genes,
        "n_types": dataset.n_types,
        "n_clusters_requested": run.n_clusters,
        "n_clusters_rule": run.k_rule,
        "n_clusters_found": None,
        "metrics": dict.fromkeys(METRICS),
        "best_epoch": None,
        "seconds": dict.fromkeys(_SECONDS),
        "peak_rss_bytes": None,
        "peak_gpu_bytes": None,
        "device": device,
        "threads": threads,
        "params": run.params(),
        **preset_fields(run),
        "info": {},
        "row_order": ROW_ORDER_RULE,
        "data": {
            "sha256": dataset.sha256,
            "source": dataset.source,
            "preprocessing": dataset.preprocessing,
            **({} if dataset.part is None else {"part_of": dataset.part.as_record()}),
        },
        "provenance": dict(provenance),
    }


def preset_fields(run: PlannedRun) -> dict[str, Any]:
    """Return the fields of a record that say where parameters come from: the preset, and whether labels chose it."""
    preset = run.preset
    return {
        "preset": None if preset is None else dataclasses.asdict(preset),
        "tuned_with_labels": preset is not None and preset.tuned_with_labels,
    }


def failed_record(
    run: PlannedRun,
    device: str,
    threads: int,
    provenance: Mapping[str, Any],
    *,
    status: str,
    message: str,
    kind: str | None = None,
    log: str = "",
) -> dict[str, Any]:
    """Return the record of a run that ended, or did not start, without an exception to record.

    Args:
        run, device, threads, provenance: as for :func:`new_record`.
        status: one of ``STATUSES``.
        message: what happened and what to do.
        kind: the error's type; None takes the status.
        log: what stands for the traceback.
    """
    record = new_record(run, device, threads, provenance)
    record["status"] = status
    record["error"] = {"type": kind or status, "message": message, "traceback": log}
    return record


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
