"""Records and stores for the tests of reports."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from scbench.metrics.registry import SCORES
from scbench.store.store import write_json


def record(
    dataset: str = "d", method: str = "m", seed: int = 0, score: float | None = 0.5, **more: Any
) -> dict[str, Any]:
    """Return a whole record; ``score`` None is a failed run."""
    ok = score is not None
    key = hashlib.sha256(repr((dataset, method, seed, sorted(more.items()))).encode()).hexdigest()
    return {
        "schema": 1, "key": key, "method": method, "variant": "default", "dataset": dataset, "protocol": "honest",
        "seed": seed, "status": "ok" if ok else "error",
        "error": None if ok else {"type": "E", "message": "it broke", "traceback": ""},
        "n_cells": 60, "n_genes": 20, "n_types": 3, "n_clusters_requested": 3, "n_clusters_rule": "true",
        "n_clusters_found": 3 if ok else None, "metrics": dict.fromkeys(SCORES, score), "best_epoch": None,
        "seconds": {"load": 0.1, "preprocess": 0.1, "fit": 1.0, "score": 0.0, "total": 1.0 + seed},
        "peak_rss_bytes": 2**28, "peak_gpu_bytes": None, "device": "cpu", "threads": 1, "params": {"k": 1},
        "preset": None, "tuned_with_labels": False,
        "data": {"sha256": f"sha-of-{dataset}", "source": f"{dataset}.h5", "preprocessing": {"reader": "h5"}},
        "provenance": {"scbench": "0.1.0", "git_commit": "abcdef0123", "git_dirty": False},
        **more,
    }  # fmt: skip


def put(store: Path, *records: dict[str, Any]) -> None:
    """Write records to a store, with arrays for those that are ok."""
    for one in records:
        folder = store / one["dataset"] / one["method"] / one["key"][:16]
        folder.mkdir(parents=True)
        write_json(folder / "record.json", one)
        if one["status"] != "ok":
            continue
        rng = np.random.default_rng(one["seed"])
        labels = np.arange(one["n_cells"]) % 3
        np.save(folder / "labels.npy", labels)
        np.save(
            folder / "embedding.npy", (rng.normal(size=(one["n_cells"], 5)) + labels[:, None] * 4).astype(np.float32)
        )
        (folder / "history.csv").write_text("epoch,loss,other\n" + "".join(f"{e},{9 - e},{e}\n" for e in range(8)))
