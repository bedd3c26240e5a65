"""How the jobs of a sweep come about: Hydra's cross product, times the methods and datasets of an experiment.

To be imported after Hydra has scanned its plugins, which loads its own sweeper anew.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.types import Override
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, read_write

from scbench.config.request import Request

__all__ = ["ScbenchSweeper", "SweeperConf"]


@dataclass
class SweeperConf:
    """Configuration node that makes Hydra build :class:`ScbenchSweeper`."""

    _target_: str = "hydra_plugins.scbench.ScbenchSweeper"
    max_batch_size: int | None = None
    params: dict[str, str] | None = None


class ScbenchSweeper(BasicSweeper):
    """Hydra's own sweeper, which also knows experiments and leaves nothing behind when only a plan is asked for."""

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what was asked for."""
        super().setup(hydra_context=hydra_context, task_function=task_function, config=config)
        self._request: Request = task_function.request  # type: ignore[attr-defined]  # set where Hydra is called

    def sweep(self, arguments: list[str]) -> Any:
        """Run the sweep; Hydra keeps its configuration in the store, but not that of a plan."""
        if not self._request.is_dry_run or self.config is None:
            return super().sweep(arguments)
        with tempfile.TemporaryDirectory() as folder:
            with read_write(self.config):
                self.config.hydra.sweep.dir = folder
            return super().sweep(arguments)

    def split_arguments(  # type: ignore[override]  # static there, but called on the instance
        self, overrides: list[Override], max_batch_size: int | None
    ) -> list[list[list[str]]]:
        """Return the overrides of each job, in batches; those of the command line come last and win."""
        if self._request.cells is None:
            return super().split_arguments(overrides, max_batch_size)
        own = [override for override in overrides if override.get_key_element() not in ("method", "dataset")]
        batches: list[list[list[str]]] = super().split_arguments(own, max_batch_size)
        return [[[*cell, *job] for cell in self._request.cells for job in batch] for batch in batches]

    def validate_batch_is_legal(self, batch: Sequence[Sequence[str]]) -> None:
        """Leave the check to the launcher, which composes every job before the first runs; it takes 0.1 s each."""
