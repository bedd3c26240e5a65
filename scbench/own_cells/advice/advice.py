"""Which methods can run on given cells, how long they take there, and how they ranked on sets of about that size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scbench.own_cells.advice.cost import Cost, cost_of
from scbench.own_cells.advice.measured import MeasuredRun
from scbench.own_cells.advice.ranking import Ranking, ranking_of
from scbench.plugins import discover

__all__ = ["Advice", "Cells", "MethodAdvice", "advise"]


@dataclass(frozen=True)
class Cells:
    """What advice depends on.

    Attributes:
        name: of the cells.
        n_cells, n_genes: sizes.
        zeros: share of the matrix that is 0, in [0, 1].
        is_counts: whether the matrix holds counts.
        n_clusters: K where it is known.
        has_gpu: whether a CUDA device is there.
        memory_mib: that is free on this machine.
    """

    name: str
    n_cells: int
    n_genes: int
    zeros: float
    is_counts: bool
    n_clusters: int | None
    has_gpu: bool
    memory_mib: float

    def __str__(self) -> str:
        """Return one line."""
        k = "K unknown" if self.n_clusters is None else f"K = {self.n_clusters}"
        gpu = "a GPU" if self.has_gpu else "no GPU"
        kind = "counts" if self.is_counts else "no counts, but log-normalised values"
        return (
            f"{self.name}: {self.n_cells} cells \N{MULTIPLICATION SIGN} {self.n_genes} genes, "
            f"{self.zeros:.1%} zeros, {kind}; {k}; {gpu}, "
            f"{self.memory_mib / 1024:.1f} GiB of memory free"
        )


@dataclass(frozen=True)
class MethodAdvice:
    """One method on these cells.

    Attributes:
        method: its name.
        why_not: why it cannot run; empty when it can.
        remark: what to know; empty for nothing.
        cost: None where no stored run tells.
    """

    method: str
    why_not: str
    remark: str
    cost: Cost | None


@dataclass(frozen=True)
class Advice:
    """What can be said.

    Attributes:
        cells: what it depends on.
        methods: those that can run first, by expected seconds.
        ranking: None where stored runs do not tell.
    """

    cells: Cells
    methods: tuple[MethodAdvice, ...]
    ranking: Ranking | None


def advise(cells: Cells, runs: Sequence[MeasuredRun]) -> Advice:
    """Return advice for cells from the runs of other sets."""
    found = [_of_method(name, cells, [run for run in runs if run.method == name]) for name in discover()]
    found.sort(key=lambda one: (bool(one.why_not), one.cost is None, one.cost.seconds if one.cost else 0.0, one.method))
    able = [one.method for one in found if not one.why_not]
    return Advice(cells, tuple(found), ranking_of(runs, cells.n_cells, able))


def _of_method(name: str, cells: Cells, runs: Sequence[MeasuredRun]) -> MethodAdvice:
    """Return what can be said of one method."""
    config = discover()[name].config_class()
    cost = cost_of(runs, cells.n_cells)
    why_not, remarks = "", []
    if config.NEEDS_COUNTS and not cells.is_counts:
        why_not = "needs counts"
    elif cost is not None and cost.memory_mib > cells.memory_mib:
        why_not = f"needs about {cost.memory_mib / 1024:.1f} GiB of memory"
    if config.USES_TORCH and cells.has_gpu:
        remarks.append("the time is that of a CPU; no stored run was on a GPU")
    if not config.RESPECTS_K and cells.n_clusters is not None:
        remarks.append("may find another number of clusters")
    if cost is not None and cost.is_beyond:
        remarks.append("far from the sizes of stored runs")
    return MethodAdvice(name, why_not, "; ".join(remarks), cost)
