"""The process of one run: cut off from the terminal, on its own device; whatever happens, a record is stored."""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
import time
from contextlib import suppress
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from scbench.method import Diverged, Pruned
from scbench.run.job import Job
from scbench.run.one_run import cannot_store, do_run
from scbench.run.process import thread_settings
from scbench.run.record import error_of, new_record
from scbench.run.store import Store, json_ready

__all__ = ["remove_arrays", "worker_main"]


def worker_main(job: Job, connection: Connection) -> None:
    """Do one run and store its record, whatever happens; the parent does so when this process dies."""
    _leave_the_terminal(job.work)
    _restrict(job)
    record = new_record(job.run, job.device, job.threads, job.provenance)
    started = time.perf_counter()
    try:
        do_run(job, record, connection)
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
        record["error"] = error_of(cannot_store(job, error))
        record["metrics"] = dict.fromkeys(record["metrics"])
        remove_arrays(job.work)
        with suppress(OSError):  # not even the failure can be stored; the parent is told all the same
            store.publish(job.work, record)


def remove_arrays(work: Path) -> None:
    """Remove the arrays of a run that has no result."""
    for path in (*work.glob("*.npy"), *work.glob("*.npz")):
        path.unlink(missing_ok=True)


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
