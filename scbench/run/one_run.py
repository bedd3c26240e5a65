"""One run: load, permute, fit, put back in file order, score."""

from __future__ import annotations

import time
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from scbench.data.cache import FileOrderCache
from scbench.errors import StoreError
from scbench.method import Clustering, Counts, RunContext
from scbench.metrics import score
from scbench.metrics.fixed_space import FixedSpace
from scbench.plugins import find
from scbench.result_check import check_clustering
from scbench.run.job import Job
from scbench.run.recorder import Recorder
from scbench.run.seeding import put_back, row_order, seed_process
from scbench.run.watch import Watch

__all__ = ["cannot_store", "do_run"]


def do_run(job: Job, record: dict[str, Any], connection: Connection) -> None:
    """Fill the record of a run that goes well, and its work folder with arrays in file order.

    Args:
        job: what is run, and where its files go.
        record: as of ``new_record``; results, times and scores are added.
        connection: to the parent, for progress and for the reports of a watched run.

    Raises:
        StoreError: when the disk does not take the arrays.
        Exception: whatever the dataset, the method or the check of its result raises.
    """
    run, seconds = job.run, record["seconds"]
    started = time.perf_counter()
    order = row_order(run.dataset.n_cells, run.seed)
    in_file_order = run.dataset.counts()
    counts = Counts(csr_matrix(in_file_order.matrix[order]), in_file_order.genes, in_file_order.is_counts)
    del in_file_order
    seconds["load"] = time.perf_counter() - started

    cache = run.dataset.cache(counts.matrix, order)
    recorder = Recorder(job.work, len(order), lambda epoch, values: connection.send(("progress", epoch, values)))
    watch = None
    if job.watch is not None:
        watch = Watch(job.watch, FixedSpace(counts, cache), connection)
    clustering = _fit(job, counts, cache, recorder, watch, seconds)
    snapshots = recorder.snapshots(order)
    _store_result(job, clustering, order, snapshots)
    record["n_clusters_found"] = len(np.unique(clustering.labels))
    record["info"] = dict(clustering.info)

    started = time.perf_counter()
    labels_true = run.dataset.labels()  # read only now: during the fit no label is in this process
    if labels_true is not None:
        record["metrics"] |= score(labels_true, np.load(job.work / "labels.npy"))
        if snapshots is not None and run.protocol == "published":
            record["best_epoch"] = _best_epoch(labels_true, *snapshots)
    seconds["score"] = time.perf_counter() - started


def _fit(
    job: Job,
    counts: Counts,
    cache: FileOrderCache,
    recorder: Recorder,
    watch: Watch | None,
    seconds: dict[str, float],
) -> Clustering:
    """Run the method and check what it returns."""
    plugin = find(job.run.config.name)
    uses_torch = job.run.config.USES_TORCH
    method = plugin.create(job.run.config)  # imports the method; not part of the fit
    seed_process(job.run.seed, uses_torch=uses_torch)
    if uses_torch:
        import torch

        torch.set_num_threads(job.threads)
    context = RunContext(
        job.run.seed,
        "cpu" if job.device == "cpu" else "cuda:0",  # the only GPU that this process can see
        cache=cache,
        on_log=recorder.log,
        on_snapshot=recorder.snapshot,
        **({} if watch is None else {"on_report": watch.report}),
        snapshots=job.keeps_snapshots or job.run.protocol == "published",
    )
    started = time.perf_counter()
    with threadpool_limits(limits=job.threads):
        clustering = method.fit_predict(counts, job.run.n_clusters, context)
    seconds["preprocess"] = cache.seconds
    seconds["fit"] = time.perf_counter() - started - cache.seconds
    check_clustering(clustering, counts.matrix.shape[0])
    return clustering


def _store_result(
    job: Job, clustering: Clustering, order: np.ndarray, snapshots: tuple[np.ndarray, np.ndarray] | None
) -> None:
    """Write the arrays of a run in file order."""
    arrays = {
        "labels": (clustering.labels, np.int64),
        "embedding": (clustering.embedding, np.float32),
        "soft": (clustering.soft, np.float32),
    }
    try:
        for name, (array, dtype) in arrays.items():
            if array is not None:
                in_file_order = put_back(array, order).astype(dtype, copy=False)
                np.save(job.work / f"{name}.npy", in_file_order, allow_pickle=False)
        if snapshots is not None:
            np.savez_compressed(job.work / "snapshots.npz", epochs=snapshots[0], labels=snapshots[1])
    except OSError as error:
        raise cannot_store(job, error) from error


def _best_epoch(labels_true: np.ndarray, epochs: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Return the snapshot with the highest ACC, as the published programs pick it; made with labels, never ranked."""
    scored = [{"epoch": int(epoch), **score(labels_true, at)} for epoch, at in zip(epochs, labels, strict=True)]
    return max(scored, key=lambda entry: entry["acc"])


def cannot_store(job: Job, error: OSError) -> StoreError:
    """Return the error for a result that the disk does not take."""
    return StoreError(f"the result cannot be written to {job.store} ({error}); free some space there and run again")
