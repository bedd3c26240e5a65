"""The rows of the comparison: what is measured, and what must be reached. Sizes are those of the targets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from comparison.cases import CommandCase, FitCase, Phase, Sample, ScanpyCase
from comparison.figures import Target, exponent, slope

__all__ = ["Line", "Row", "rows"]

Kind = Literal["seconds", "wall", "memory", "memory_per_cell", "exponent", "epochs"]
_UNITS: dict[str, str] = {
    "seconds": "s",
    "wall": "s wall",
    "memory": "MB",
    "memory_per_cell": "kB",
    "exponent": "",
    "epochs": "",
}
_OF_LAST: dict[str, Callable[[Sample], float]] = {
    "seconds": lambda sample: sample.cpu_seconds,
    "wall": lambda sample: sample.wall_seconds,
    "memory": lambda sample: sample.peak_rss_bytes / 1e6,
    "epochs": lambda sample: sample.epochs,
}


@dataclass(frozen=True)
class Line:
    """One line of the table, computed from the samples of a row's cases; seconds are of the last, the largest.

    Attributes:
        what: of the table.
        kind: what is computed; seconds are of the processor unless ``wall``, memory in 10^6 or 10^3 bytes.
        target: what must be reached, if anything.
    """

    what: str
    kind: Kind
    target: Target | None = None

    @property
    def unit(self) -> str:
        """What the values are in."""
        return _UNITS[self.kind]

    def value(self, samples: Sequence[Sample], n_cells: Sequence[int]) -> float:
        """Return the value of a build.

        Args:
            samples: of each case, smallest first.
            n_cells: of each case.

        Raises:
            ValueError: when growth is asked of fewer than two sizes.
        """
        if self.kind == "exponent":
            return exponent(n_cells, [sample.cpu_seconds for sample in samples])
        if self.kind == "memory_per_cell":
            return slope(n_cells, [sample.peak_rss_bytes / 1e3 for sample in samples])
        return _OF_LAST[self.kind](samples[-1])


@dataclass(frozen=True)
class Row:
    """What is measured together.

    Attributes:
        name: for ``rows=``.
        how: where its figures are from.
        cases: what is run in both builds, smallest first.
        lines: of the table.
        repeats: how often; figures are medians.
        instead: what stands in the place of the older build, when that is scanpy.
    """

    name: str
    how: str
    cases: tuple[FitCase | CommandCase, ...]
    lines: tuple[Line, ...]
    repeats: int = 3
    instead: ScanpyCase | None = None


_EPOCHS = "mean processor seconds between the logs of {} epochs of one fit, the first left out"
_FIT = "processor seconds of fit_predict without the preparation of its input"
_WHOLE = (
    "processor seconds from counts to labels in a new process, numba's compiling included; peak memory of the process"
)
_RECORD = "least-squares slope of the record's peak_rss_bytes over the sizes"


def rows(*, quick: bool) -> list[Row]:
    """Return all rows; ``quick`` has tiny sizes, to try the comparison itself."""
    real = "120x100x4" if quick else "mouse_pancreas_1"
    sizes = (60, 90, 120) if quick else (5_000, 10_000, 20_000)
    for_memory = (60, 120) if quick else (10_000, 20_000, 40_000)
    many, half = ("150x80x4", "120x80x4") if quick else ("200000x2000x15", "100000x2000x15")
    grown = [f"{n}x{60 if quick else 2_000}x{4 if quick else 8}" for n in sizes]
    few, often = (3, 1) if quick else (8, 3)
    short = {"pretrain_epochs": 3 if quick else 1, "epochs": few - 1}
    small: dict[str, dict[str, Any]] = {
        "cicl": {"epochs": 2, "stop": "none"},
        "scsiameseclu": {"pretrain_epochs": 2, "pretrain_graph_epochs": 2, "pretrain_joint_epochs": 2, "epochs": 2},
        "scsamac": {"pretrain_epochs": 2, "epochs": 1},
        "sccagn": {"pretrain_epochs": 1, "restarts": 1, "pretrain_least_steps": 0, "epochs": 2},
    }

    def fit(method: str, data: str = real, new: Mapping[str, Any] | None = None) -> FitCase:
        return FitCase(method, data, small[method] if quick else {}, new or {})

    def memory(method: str) -> tuple[CommandCase, ...]:
        stages = {name: 1 for name in small[method] if name.startswith("pretrain") and name.endswith("epochs")}
        params = small[method] | stages | {"epochs": 2}
        dataset = [
            ("dataset=simulated", f"dataset.n_cells={n}", f"dataset.n_genes={60 if quick else 2_000}")
            for n in for_memory
        ]
        return tuple(CommandCase(method, words, params) for words in dataset)

    largest = f"{sizes[-1]} cells"
    pair = (
        Line(f"Leiden, {many}, against scanpy", "seconds", Target(0.5)),
        Line("  its memory", "memory", Target(0.8)),
    )
    return [
        Row(
            "cicl_epoch",
            _EPOCHS.format(few),
            (FitCase("cicl", real, {"epochs": few, "stop": "none"}, phase=Phase("loss")),),
            (Line(f"CICL epoch, {real}", "seconds", Target(0.62)),),
            often,
        ),
        Row(
            "cicl_stop",
            _FIT,
            (fit("cicl"),),
            (Line(f"CICL to its stop, {real}", "seconds", Target(0.5)), Line("  epochs", "epochs")),
            1,
        ),
        Row(
            "scsiameseclu_fit",
            _FIT,
            (fit("scsiameseclu"),),
            (Line(f"scSiameseClu fit, {real}", "seconds", Target(0.5)),),
            often,
        ),
        Row(
            "scsamac_epoch",
            _EPOCHS.format(few),
            (FitCase("scsamac", real, {"pretrain_epochs": few, "epochs": 1}, phase=Phase("nb", "wasserstein")),),
            (Line(f"scSAMAC epoch of pre-training, {real}", "seconds", Target(0.7)),),
            often,
        ),
        Row(
            "scsamac_clustering",
            _EPOCHS.format(few - 1),
            tuple(FitCase("scsamac", data, {**short, "tol": 0.0}, phase=Phase("wasserstein")) for data in grown),
            (
                Line(f"scSAMAC epoch of clustering, {largest}", "seconds", Target(0.3)),
                Line(f"  exponent, {sizes[0]} to {sizes[-1]}", "exponent", Target(1.1, "new")),
            ),
            1,
        ),
        Row(
            "sccagn_epoch",
            _EPOCHS.format(4),
            tuple(
                FitCase("sccagn", data, small["sccagn"] | {"epochs": 4}, phase=Phase("reconstruction", "pretraining"))
                for data in grown
            ),
            (
                Line(f"scCAGN main epoch, {largest}", "seconds", Target(0.25)),
                Line(f"  exponent, {sizes[0]} to {sizes[-1]}", "exponent", Target(1.15, "new")),
            ),
            1,
        ),
        Row("sccagn_fit", _FIT, (fit("sccagn"),), (Line(f"scCAGN fit, {real}", "seconds", Target(0.6)),), often),
        Row(
            "scsiameseclu_memory",
            _RECORD,
            memory("scsiameseclu"),
            (Line("scSiameseClu memory, a cell", "memory_per_cell", Target(25, "new")),),
            1,
        ),
        Row(
            "sccagn_memory",
            _RECORD,
            memory("sccagn"),
            (Line("scCAGN memory, a cell", "memory_per_cell", Target(20, "new")),),
            1,
        ),
        Row(
            "leiden",
            _WHOLE,
            (FitCase("leiden", many, {"resolution": 1.0}, is_whole=True),),
            pair,
            1,
            ScanpyCase("leiden", many),
        ),
        Row(
            "pca_kmeans",
            _WHOLE,
            (FitCase("pca_kmeans", half, is_whole=True),),
            (
                Line(f"pca_kmeans, {half}, against scanpy", "seconds", Target(0.8)),
                Line("  its memory", "memory", Target(0.9)),
            ),
            1,
            ScanpyCase("kmeans", half),
        ),
        Row(
            "trivial",
            "processor seconds of all processes of the command, after one that is not counted; wall seconds beside them",
            (CommandCase("random", ("dataset=pbmc68k_reduced",), is_warm=True),),
            (Line("a trivial run, warm", "seconds", Target(0.6)), Line("  wall", "wall", Target(0.6))),
            1 if quick else 5,
        ),
        *(
            Row(
                f"{method}_fast",
                f"{_FIT}; the paper's epochs in the older build against budget=fast",
                (fit(method, new={"budget": "fast"}),),
                (Line(f"{method} with budget=fast, {real}", "seconds", Target(0.35)), Line("  epochs", "epochs")),
                1,
            )
            for method in ("cicl", "scsiameseclu", "scsamac", "sccagn")
        ),
    ]
