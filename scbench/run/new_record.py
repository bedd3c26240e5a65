"""The record of a run: its fields, and the statuses a run can end with."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from scbench.data.stored_order import ROW_ORDER_RULE
from scbench.metrics.registry import SCORES
from scbench.run.plan import PlannedRun
from scbench.store.record import SCHEMA

__all__ = ["failed_record", "new_record", "preset_fields"]

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
        **({} if run.k_evidence is None else {"n_clusters_evidence": dict(run.k_evidence)}),
        "n_clusters_found": None,
        "metrics": dict.fromkeys(SCORES),
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
