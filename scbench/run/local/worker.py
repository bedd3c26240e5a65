"""The process of one run: cut off from the terminal and from what names the data, on its own device.

It leaves arrays and an outcome in its work folder; the command has them scored and stored elsewhere.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from scbench.errors import StoreError
from scbench.method import Diverged, Pruned
from scbench.run.local.arrays import cannot_store, remove_arrays
from scbench.run.local.job import FitJob
from scbench.run.local.outcome import note_outcome
from scbench.run.local.process import end_with_parent, forget_surroundings, take_session, thread_settings
from scbench.run.local.wire import Wire
from scbench.store.record import error_of

__all__ = ["leave_the_terminal", "remove_arrays", "worker_main"]

_OUT_OF_GPU_MEMORY = (
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "CUSOLVER_STATUS_ALLOC_FAILED",
    "CUSPARSE_STATUS_ALLOC_FAILED",
    "CUSPARSE_STATUS_INSUFFICIENT_RESOURCES",
)


def worker_main(job: FitJob, connection: Connection) -> None:
    """Do one run and note how it went, whatever happens; the command does so when this process dies."""
    leave_the_terminal(job.work / "run.log")
    forget_surroundings()
    _restrict(job)
    wire = Wire(connection)
    from scbench.run.local.one_run import do_run  # the command starts this function, and imports no array library

    started = time.perf_counter()
    seconds: dict[str, float] = {}
    outcome: dict[str, Any] = {"status": "ok", "error": None, "info": {}, "seconds": seconds}
    try:
        outcome["info"] = do_run(job, seconds, wire)
    except Exception as error:
        outcome["status"] = _status_of(error)
        outcome["error"] = error_of(error)
        with suppress(OSError):  # run.log may lie on a full disk
            sys.stderr.write(outcome["error"]["traceback"])
    seconds["total"] = time.perf_counter() - started
    outcome["peak_rss_bytes"] = _peak_rss_bytes()
    outcome |= _of_gpu(job.device)
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    if outcome["status"] != "ok":
        remove_arrays(job.work)
    wire.send(("ended", _note(job.work, outcome)))


def _note(work: Path, outcome: dict[str, Any]) -> dict[str, Any] | None:
    """Leave the outcome; on a full disk give up the arrays, and return what to tell the command instead."""
    try:
        note_outcome(work, outcome)
    except OSError as error:
        remove_arrays(work)
        told = {name: outcome[name] for name in ("seconds", "peak_rss_bytes")}
        return told | {"status": "interrupted", "error": error_of(cannot_store(work, error)), "info": {}}
    return None


def _status_of(error: Exception) -> str:
    """Return the status that an exception stands for. Torch is not imported to ask for its exception classes."""
    if isinstance(error, StoreError):  # no failure of the method: when there is space, the same command makes it
        return "interrupted"
    if isinstance(error, Diverged | FloatingPointError):
        return "diverged"
    if isinstance(error, Pruned):  # not a result and not a failure: an ordinary command would make the run anew
        return "interrupted"
    return "oom" if isinstance(error, MemoryError) or _is_out_of_gpu_memory(error) else "error"


def _is_out_of_gpu_memory(error: Exception) -> bool:
    """Return whether a GPU had no memory left: for torch's allocator, the driver, or one of NVIDIA's libraries.

    Only the allocator has an exception class for it. Driver and libraries take memory past it, for a context, a kernel
    or a workspace, and that is what fails first where several runs share a GPU; torch tells it in the message alone.
    """
    if any(cls.__name__ == "OutOfMemoryError" for cls in type(error).__mro__):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _OUT_OF_GPU_MEMORY)


def leave_the_terminal(log: Path) -> None:
    """Take a session of one's own, send all output to a file, and end when the parent does."""
    take_session()
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(file, sys.__stdout__.fileno() if sys.__stdout__ else 1)
    os.dup2(file, sys.__stderr__.fileno() if sys.__stderr__ else 2)
    os.close(file)
    end_with_parent()


def _restrict(job: FitJob) -> None:
    """Show this process only its own GPU, before torch is imported, and only its own number of threads."""
    os.environ["CUDA_VISIBLE_DEVICES"] = job.visible
    os.environ.update(thread_settings(job.threads))


def _peak_rss_bytes() -> int:
    """Return the largest resident size of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # Linux counts in KiB


def _of_gpu(device: str) -> dict[str, Any]:
    """Return name and peak memory (bytes of tensors, the most at a time) of the GPU when one was used.

    After an error on the GPU nothing may be asked of it any more; what is missing then is left out of the outcome.
    """
    torch = sys.modules.get("torch")
    if torch is None or device == "cpu" or not torch.cuda.is_initialized():
        return {}
    found: dict[str, Any] = {}
    with suppress(RuntimeError):  # the error that ended the run is the one to record
        found["peak_gpu_bytes"] = int(torch.cuda.max_memory_allocated())
        found["gpu"] = torch.cuda.get_device_name(0)
    return found
