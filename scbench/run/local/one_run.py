"""One run in a process of its own: load, permute, fit, and store what came out. Nobody here knows a label."""

from __future__ import annotations

import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any, cast

import numpy as np
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from scbench.data.cache import FileOrderCache
from scbench.method import Clustering, Counts, RunContext
from scbench.plugins import find
from scbench.result_check import check_clustering
from scbench.run.local.arrays import DTYPES, cannot_store, write_array
from scbench.run.local.job import FitJob, is_foreign
from scbench.run.local.recorder import Recorder
from scbench.run.local.watch import Watch
from scbench.run.local.wire import Wire
from scbench.run.seeding import put_back, row_order, seed_process

__all__ = ["do_run"]


def do_run(job: FitJob, seconds: dict[str, float], wire: Wire) -> Mapping[str, Any]:
    """Fit, and write the arrays of the result to the work folder, in stored order.

    Args:
        job: what is run, and where its files go.
        seconds: gets the times of loading, preparing and fitting.
        wire: to the command, for progress and for the reports of a watched run.

    Returns:
        What the method decided on the way.

    Raises:
        StoreError: when the disk does not take the arrays.
        Exception: whatever the dataset, the method or the check of its result raises.
    """
    started = time.perf_counter()
    stored = job.counts.counts()
    order = row_order(stored.matrix.shape[0], job.seed)
    counts = Counts(csr_matrix(stored.matrix[order]), stored.genes, stored.is_counts)
    del stored
    seconds["load"] = time.perf_counter() - started

    plugin = find(job.config.name)
    cache = job.counts.cache(counts.matrix, order, foreign=plugin.package if is_foreign(job.config) else "")
    recorder = Recorder(job.work, len(order), lambda epoch, values: wire.send(("progress", epoch, values)))
    watch = None
    if job.watch is not None:
        from scbench.metrics.fixed_space import FixedSpace  # with what makes components, which not every run needs

        watch = Watch(job.watch, FixedSpace(counts, cache), cast(Connection, wire))  # has what a watch asks of one
    clustering = _fit(job, counts, cache, recorder, watch, seconds)
    snapshots = recorder.snapshots(order)
    try:
        for name in DTYPES:
            array = getattr(clustering, name)
            if array is not None:
                write_array(job.work, name, put_back(array, order))
        if snapshots is not None:
            np.savez(job.work / "snapshots.npz", epochs=snapshots[0], labels=snapshots[1])
    except OSError as error:
        raise cannot_store(job.work, error) from error
    return clustering.info


def _fit(
    job: FitJob,
    counts: Counts,
    cache: FileOrderCache,
    recorder: Recorder,
    watch: Watch | None,
    seconds: dict[str, float],
) -> Clustering:
    """Run the method and return what it returns as plain arrays."""
    uses_torch = job.config.USES_TORCH
    method = find(job.config.name).create(job.config)  # imports the method; not part of the fit
    seed_process(job.seed, uses_torch=uses_torch)
    if uses_torch:
        import torch

        torch.set_num_threads(job.threads)
    context = RunContext(
        job.seed,
        "cpu" if job.device == "cpu" else "cuda:0",  # the only GPU that this process can see
        cache=cache,
        on_log=recorder.log,
        on_snapshot=recorder.snapshot,
        **({} if watch is None else {"on_report": watch.report}),
        snapshots=job.keeps_snapshots,
    )
    started = time.perf_counter()
    with threadpool_limits(limits=job.threads):
        clustering = method.fit_predict(counts, job.n_clusters, context)
    seconds["preprocess"] = cache.seconds
    seconds["fit"] = time.perf_counter() - started - cache.seconds
    return check_clustering(clustering, counts.matrix.shape[0])
