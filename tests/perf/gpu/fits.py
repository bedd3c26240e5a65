"""Fits of one method on a device, each in a process of its own."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from comparison.builds import Build, translated
from comparison.cases import HERE, LeftOut, call

__all__ = ["Fit", "fit", "start_fits"]


@dataclass(frozen=True)
class Fit:
    """What a fit took, and its labels; without labels it was not over in time."""

    told: Mapping[str, Any]
    labels: np.ndarray | None

    @property
    def seconds(self) -> float:
        """Wall seconds, the preparation of its input included; CUDA had been started."""
        return float(self.told["wall_seconds"])

    @property
    def gpu_bytes(self) -> int:
        """Most bytes of tensors on the GPU at a time; 0 on the CPU."""
        return int(self.told["peak_gpu_bytes"])


def fit(
    build: Build, method: str, params: Mapping[str, Any], counts: Path, *, seed: int, device: str, until: float
) -> Fit:
    """Return one fit; at the monotonic time ``until`` it is ended, and has no labels.

    Raises:
        LeftOut: when it failed, or when there was no time for it.
    """
    limit = until - time.monotonic()
    if limit < 1:
        raise LeftOut("no time left")
    given = translated(build, method, params, ())
    if isinstance(given, str):
        raise LeftOut(given)
    labels = build.folder.parent / f"{uuid4().hex}.npy"
    job = {"method": method, "params": given, "counts": str(counts), "seed": seed, "device": device}
    told = call(build, [str(HERE / "fit_once.py"), json.dumps({**job, "labels": str(labels)})], limit)
    return Fit(told, np.load(labels) if told["finished"] else None)


def start_fits(
    build: Build, jobs: list[tuple[str, Mapping[str, Any], int]], counts: Path, until: float
) -> dict[tuple[str, int], Future[Fit]]:
    """Start fits of (method, params, seed) on the CPU, as many at a time as leave two cores; all end at ``until``."""
    pool = ThreadPoolExecutor(max(1, len(os.sched_getaffinity(0)) - 2))
    started = {
        (method, seed): pool.submit(fit, build, method, params, counts, seed=seed, device="cpu", until=until)
        for method, params, seed in jobs
    }
    pool.shutdown(wait=False)
    return started
