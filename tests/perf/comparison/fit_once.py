"""Fit one method once, in any build of scbench, and tell what it took: the last line of the output is JSON.

``python -P fit_once.py JOB`` with JOB a JSON object: ``method``, ``params`` (by dotted names of that build), ``counts``
(a file of :mod:`make_counts`), ``seed``, ``device``, and ``labels`` (where to save them, or null). Only contracts of
``scbench.method`` and ``scbench.plugins`` are used, which builds share. Seconds are of the processor, all threads and
helpers, and wall seconds; they start when everything is imported. A SIGTERM ends the fit and has what there is told.
"""

from __future__ import annotations

import dataclasses
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from scbench.method import Counts, MethodConfig, RunContext
from scbench.plugins import find
from scbench.run.seeding import seed_process


class Ended(BaseException):
    """Raised by SIGTERM: no error, and nothing that a method may catch."""


class Clock:
    """Processor and wall seconds since it was made, what of them went to preparation, and stamps of epochs."""

    def __init__(self) -> None:
        self._zero = _now()
        self.prepared = np.zeros(2)
        self.stamps: list[dict[str, Any]] = []
        self._depth = 0

    def read(self) -> np.ndarray:
        """Return (processor, wall) seconds."""
        return _now() - self._zero

    def stamp(self, epoch: int, values: Mapping[str, float]) -> None:
        """Note when an epoch has ended."""
        cpu, wall = self.read()
        self.stamps.append({"epoch": epoch, "keys": sorted(values), "cpu": cpu, "wall": wall})

    def get(self, matrix: csr_matrix, _kind: str, _params: Mapping[str, Any], compute: Any) -> Any:
        """Serve as the run's cache of inputs: computes them afresh and takes the time (``Any``: either build's)."""
        started = _now()
        self._depth += 1
        try:
            return compute(matrix, self)
        finally:
            self._depth -= 1
            if self._depth == 0:
                self.prepared += _now() - started


def _now() -> np.ndarray:
    helpers = resource.getrusage(resource.RUSAGE_CHILDREN)
    return np.array([time.process_time() + helpers.ru_utime + helpers.ru_stime, time.perf_counter()])


def configured(method: str, params: Mapping[str, Any]) -> MethodConfig:
    """Return a method's configuration; dotted names are fields of a group."""
    schema = find(method).config_class()
    groups = {field.name: field.default_factory for field in dataclasses.fields(schema)}
    values: dict[str, Any] = {}
    for name, value in params.items():
        group, _, inner = name.rpartition(".")
        if group:
            values[group] = dataclasses.replace(values.get(group) or groups[group](), **{inner: value})
        else:
            values[name] = value
    return schema(**values)


def fit(job: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the fit took."""
    with np.load(job["counts"]) as stored:
        matrix = csr_matrix((stored["data"], stored["indices"], stored["indptr"]), shape=tuple(stored["shape"]))
        counts, n_clusters = Counts(matrix, None, bool(stored["is_counts"])), int(stored["n_types"])
    torch.set_num_threads(1)
    on_gpu = job["device"] != "cpu"
    if on_gpu:
        torch.zeros(1, device=job["device"])  # the start of CUDA is no part of a fit
    method = find(job["method"]).create(configured(job["method"], job["params"]))
    seed_process(job["seed"], uses_torch=True)
    clock, labels, info = Clock(), None, {}
    run = RunContext(job["seed"], job["device"], cache=clock, on_log=clock.stamp)
    try:
        with threadpool_limits(limits=1):
            done = method.fit_predict(counts, n_clusters, run)
        labels, info = done.labels, dict(done.info)
    except Ended:
        pass
    cpu, wall = clock.read()
    if labels is not None and job["labels"]:
        np.save(job["labels"], labels)
    return {
        "finished": labels is not None,
        "cpu_seconds": cpu,
        "wall_seconds": wall,
        "prepare_cpu_seconds": clock.prepared[0],
        "prepare_wall_seconds": clock.prepared[1],
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "peak_gpu_bytes": torch.cuda.max_memory_allocated() if on_gpu else 0,
        "reserved_gpu_bytes": torch.cuda.max_memory_reserved() if on_gpu else 0,
        "n_cells": counts.matrix.shape[0],
        "epochs": len(clock.stamps),
        "stamps": clock.stamps,
        "info": {name: value for name, value in info.items() if isinstance(value, str | int | float | bool)},
    }


def _end(*_: object) -> None:
    raise Ended


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    print(json.dumps(fit(json.loads(sys.argv[1]))), flush=True)
    os._exit(0)  # a GPU's context takes seconds to close
