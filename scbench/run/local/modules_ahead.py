"""What the server that runs are forked from imports ahead, so that no run pays for it again."""

from __future__ import annotations

from collections.abc import Sequence

from scbench.plugins import find
from scbench.run.local.job import is_foreign
from scbench.run.plan import PlannedRun

__all__ = ["modules_ahead"]

# Blocks that packages of others may use; with scikit-learn, a second and more to import.
_BLOCKS = ("scbench.graph.neighbours", "scbench.kmeans", "scbench.preprocessing.prepare")


def modules_ahead(runs: Sequence[PlannedRun], *, has_gpus: bool) -> list[str]:
    """Return scbench's own methods among these runs, and the libraries that those of others may use.

    Torch has to wait where it may find a GPU.
    """
    on_cpu = [run.config for run in runs if not (has_gpus and run.config.USES_TORCH)]
    own = {f"{find(config.name).package}.method" for config in on_cpu if not is_foreign(config)}
    libraries = set(_BLOCKS) if any(is_foreign(run.config) for run in runs) else set()
    return sorted(own | libraries | {"torch" for config in on_cpu if config.USES_TORCH})
