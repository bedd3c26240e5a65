"""What a task of a search does on its SLURM node: the same search by the local queue, while trials are left."""

from __future__ import annotations

import dataclasses
import sys
from dataclasses import dataclass
from typing import Any

from scbench.config.schema import RunConfig
from scbench.errors import DataError
from scbench.run.provenance import collect_provenance
from scbench.run.slurm.job import job_number
from scbench.tune.options import TuneOptions
from scbench.tune.searches import searches_of

__all__ = ["SearchJob"]


@dataclass(frozen=True)
class SearchJob:
    """A share in a study; submitit carries it to the node and calls it there, after a requeue once more.

    Attributes:
        configs: of the command.
        options: of the command, with an absolute ``out`` and the storage that was chosen.
        held: parameters of the method that the command line sets to a value.
        name: of the study.
        device: ``cuda`` for a job that has asked for a GPU, else ``cpu``.
        argv: the command that submitted it.
    """

    configs: tuple[RunConfig, ...]
    options: TuneOptions
    held: frozenset[str]
    name: str
    device: str
    argv: tuple[str, ...]

    def __call__(self) -> None:
        """Make trials until the study has all of them, or the rest is under way in other tasks.

        Raises:
            DataError: when the same command is another search on this node.
            ScbenchError: when a dataset cannot be opened here, the study cannot be used, or the GPU is not there.
        """
        from scbench.tune.participant import take_part

        found = {named.name: named for named in searches_of(self.configs, self.options, self.held)}
        if self.name not in found:
            raise DataError(
                f"study {self.name} is another search on this node, found {sorted(found)}; the datasets, the code and "
                "the packages have to be the same on all nodes"
            )
        engine = self.configs[0].engine
        config = dataclasses.replace(
            self.configs[0], engine=dataclasses.replace(engine, cpu_slots=engine.slots_per_job), device=self.device
        )
        take_part(found[self.name], config, self.options, collect_provenance(self.argv), job_number())
        sys.stderr.flush()

    def checkpoint(self, *_: Any, **__: Any) -> Any:  # submitit's class, and its arguments
        """Return what is to be done after a requeue: the same, for the study knows what is left."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)
