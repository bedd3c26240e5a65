"""The records of runs whose process ended without one: crashed, killed, out of time or memory, interrupted."""

from __future__ import annotations

import signal
from typing import Any

from scbench.run.local.arrays import remove_arrays
from scbench.run.local.job import Job
from scbench.run.local.process import oom_kill_count, signal_name, tail
from scbench.run.new_record import failed_record
from scbench.store.store import Store

__all__ = ["Endings"]


class Endings:
    """Tell how a run ended from what is left of it.

    Args:
        store: where its record goes.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._oom_kills = oom_kill_count()

    def record(
        self, job: Job, *, seconds: float, exitcode: int | None, stop_reason: tuple[str, str] | None
    ) -> dict[str, Any]:
        """Make and store the record of a run, keeping its log and history.

        Args:
            job: what its process was given; its work folder is moved to its place.
            seconds: how long it ran.
            exitcode: of its process; negative is a signal.
            stop_reason: status and message when the engine stopped it.
        """
        run, work = job.run, job.work
        stored = self._store.find(run.dataset.name, run.config.name, run.key)
        if stored is not None and not work.exists():
            return stored  # it was published; only the message was lost
        status, message = stop_reason or self._read_exit(exitcode)
        about = (run, job.device, job.threads, job.provenance)
        record = failed_record(*about, status=status, message=message, log=tail(work / "run.log"))
        record["seconds"]["total"] = seconds
        remove_arrays(work)
        try:
            self._store.publish(work, record)
        except OSError as error:
            record["error"]["message"] += f" (and the record cannot be stored: {error})"
        return record

    def _read_exit(self, exitcode: int | None) -> tuple[str, str]:
        """Return status and message for an exit status."""
        if exitcode is None or exitcode >= 0:
            end = f"the process ended with exit status {exitcode} before its record was written"
            return "crashed", f"{end}; see run.log"
        if -exitcode == signal.SIGKILL:
            kills, self._oom_kills = self._oom_kills, oom_kill_count()
            if self._oom_kills > kills:
                return "oom", "killed by the kernel because memory ran out (SIGKILL)"
        return "crashed", f"the process was killed by {signal_name(-exitcode)}; see run.log"
