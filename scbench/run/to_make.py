"""Must this run be made? Asked here by every command, job and search, so that all agree on what is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scbench.run.plan import PlannedRun
from scbench.store.store import Store

__all__ = ["done_and_missing", "must_be_made"]


def must_be_made(record: Mapping[str, Any] | None, *, retry_failed: bool = False, replaced: str | None = None) -> bool:
    """Return whether a run has to be made, or made again.

    One that nobody has made, or that somebody stopped, has to be; a result never. A failed one is kept, and made again
    only when asked for.

    Args:
        record: of the run; None when there is none.
        retry_failed: whether failed runs are to be made again.
        replaced: when the failed attempt started that is to be made again; an attempt of another time has been made
            in its stead. None for no such attempt.
    """
    if record is None or record["status"] == "interrupted":
        return True
    if record["status"] == "ok":
        return False
    return retry_failed or (replaced is not None and record["provenance"]["started_at"] == replaced)


def done_and_missing(
    runs: Sequence[PlannedRun], store: Store, *, retry_failed: bool = False
) -> tuple[dict[str, dict[str, Any]], list[PlannedRun]]:
    """Return the records of the runs that count as done, by the runs' ids, and the runs that have to be made."""
    done: dict[str, dict[str, Any]] = {}
    missing = []
    for run in runs:
        record = store.find(run.dataset.name, run.config.name, run.key)
        if record is None or must_be_made(record, retry_failed=retry_failed):
            missing.append(run)
        else:
            done[run.run_id] = record
    return done, missing
