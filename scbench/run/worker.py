"""One run in a process of its own: load, permute, fit, put back in file order, score, store."""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from scbench.data.cache import FileOrderCache
from scbench.errors import StoreError
from scbench.method import Clustering, Counts, Diverged, Pruned, RunContext
from scbench.metrics import score
from scbench.metrics.fixed_space import FixedSpace, SpaceScore
from scbench.plugins import find
from scbench.result_check import check_clustering
from scbench.run.plan import PlannedRun
from scbench.run.process import thread_settings
from scbench.run.record import error_of, new_record
from scbench.run.recorder import Recorder
from scbench.run.seeding import put_back, row_order, seed_process
from scbench.run.store import Store, json_ready
from scbench.run.watch import Watch

__all__ = ["Job", "remove_arrays", "worker_main"]


@dataclass(frozen=True)
class Job:
    """What a worker process is given.

    Attributes:
        run: the planned run.
        device: ``cpu`` or ``cuda:<n>``, n as the parent counts.
        visible: the run's CUDA_VISIBLE_DEVICES.
        threads: threads to compute with.
        store: root of the run store.
        work: the run's temporary folder.
        provenance: what all runs of the command share.
        watch: score of what the method reports by which a search may give the run up; None without a search.
        keeps_snapshots: whether snapshots are stored although the protocol does not ask for them.
    """

    run: PlannedRun
    device: str
    visible: str
    threads: int
    store: Path
    work: Path
    provenance: dict[str, Any]
    watch: SpaceScore | None = None
    keeps_snapshots: bool = False


def worker_main(job: Job, connection: Connection) -> None:
    """Do one run and store its record, whatever happens; the parent does so when this process dies."""
    _leave_the_terminal(job.work)
    _restrict(job)
    record = new_record(job.run, job.device, job.threads, job.provenance)
    started = time.perf_counter()
    try:
        _run(job, record, connection)
        record["status"] = "ok"
    except Exception as error:
        record["status"] = _status_of(error)
        record["error"] = error_of(error)
        with suppress(OSError):  # run.log may lie on a full disk
            sys.stderr.write(record["error"]["traceback"])
    record["seconds"]["total"] = time.perf_counter() - started
    record["peak_rss_bytes"] = _peak_rss_bytes()
    _note_gpu(record)
    record = json_ready(record)  # what is stored is what the parent hears
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    _publish(job, record)
    connection.send(("ended", record))


def _run(job: Job, record: dict[str, Any], connection: Connection) -> None:
    """Fill the record of a run that goes well; raise whatever goes wrong."""
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
        raise _cannot_store(job, error) from error


def _best_epoch(labels_true: np.ndarray, epochs: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Return the snapshot with the highest ACC, as the published programs pick it; made with labels, never ranked."""
    scored = [{"epoch": int(epoch), **score(labels_true, at)} for epoch, at in zip(epochs, labels, strict=True)]
    return max(scored, key=lambda entry: entry["acc"])


def _status_of(error: Exception) -> str:
    """Return the status that an exception stands for. Torch is not imported to ask for its exception classes."""
    if isinstance(error, Diverged | FloatingPointError):
        return "diverged"
    if isinstance(error, Pruned):  # not a result and not a failure: an ordinary command would make the run anew
        return "interrupted"
    if isinstance(error, MemoryError) or any(cls.__name__ == "OutOfMemoryError" for cls in type(error).__mro__):
        return "oom"
    return "error"


def _publish(job: Job, record: dict[str, Any]) -> None:
    """Store the record; on a full disk give up the arrays, so that at least the failure is on record."""
    store = Store(job.store)
    if record["status"] != "ok":  # a result that failed its checks or was stored in part is not a result
        remove_arrays(job.work)
    try:
        store.publish(job.work, record)
    except OSError as error:
        record["status"] = "error"
        record["error"] = error_of(_cannot_store(job, error))
        record["metrics"] = dict.fromkeys(record["metrics"])
        remove_arrays(job.work)
        with suppress(OSError):  # not even the failure can be stored; the parent is told all the same
            store.publish(job.work, record)


def remove_arrays(work: Path) -> None:
    """Remove the arrays of a run that has no result."""
    for path in (*work.glob("*.npy"), *work.glob("*.npz")):
        path.unlink(missing_ok=True)


def _cannot_store(job: Job, error: OSError) -> StoreError:
    """Return the error for a result that the disk does not take."""
    return StoreError(f"the result cannot be written to {job.store} ({error}); free some space there and run again")


def _leave_the_terminal(work: Path) -> None:
    """Take a session of one's own, send all output to ``run.log``, and end when the parent does."""
    os.setsid()  # Ctrl-C in the terminal goes to the parent, which ends its runs in order
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})  # the parent starts runs with both held
    log = os.open(work / "run.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, sys.__stdout__.fileno() if sys.__stdout__ else 1)
    os.dup2(log, sys.__stderr__.fileno() if sys.__stderr__ else 2)
    os.close(log)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_die_with, args=(parent.sentinel,), daemon=True).start()


def _die_with(sentinel: int) -> None:
    """Kill this process group when the parent is gone, even by kill -9; nobody is left to record the run."""
    wait([sentinel])
    os.killpg(0, signal.SIGKILL)


def _restrict(job: Job) -> None:
    """Show this process only its own GPU, before torch is imported, and only its own number of threads."""
    os.environ["CUDA_VISIBLE_DEVICES"] = job.visible
    os.environ.update(thread_settings(job.threads))


def _peak_rss_bytes() -> int:
    """Return the largest resident size of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # Linux counts in KiB


def _note_gpu(record: dict[str, Any]) -> None:
    """Record name and peak memory of the GPU when one was used."""
    torch = sys.modules.get("torch")
    if torch is None or record["device"] == "cpu" or not torch.cuda.is_initialized():
        return
    record["peak_gpu_bytes"] = int(torch.cuda.max_memory_allocated())
    record["provenance"]["gpu"] = torch.cuda.get_device_name(0)
