"""A run whose process has ended by itself, as the command hands it to the process that scores.

Imports no array library: the command names what is to be scored, and never scores.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scbench.run.local.outcome import with_outcome
from scbench.run.new_record import new_record

if TYPE_CHECKING:
    from scbench.data.dataset import Dataset
    from scbench.run.local.job import Job

__all__ = ["Fitted", "fitted_of"]


@dataclass(frozen=True)
class Fitted:
    """A run whose process has ended by itself.

    Attributes:
        dataset: whose labels it is scored with.
        protocol: ``published`` has the best of the snapshots beside.
        store: root of the run store.
        work: the run's folder, with arrays in stored order.
        record: without scores.
    """

    dataset: Dataset
    protocol: str
    store: Path
    work: Path
    record: dict[str, Any]


def fitted_of(job: Job, outcome: Mapping[str, Any]) -> Fitted:
    """Return what is known of a run that has ended by itself, ``outcome`` being what its process has said."""
    run = job.run
    record = with_outcome(new_record(run, job.device, job.threads, job.provenance), outcome)
    return Fitted(run.dataset, run.protocol, job.store, job.work, record)
