"""``make bench compare=<commit>``: both builds, row by row, old and new in turn on the same machine and data."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from comparison.builds import Build, CannotCompare, build_of_commit, build_of_tree, translated
from comparison.cases import CommandCase, FitCase, LeftOut, Sample, ScanpyCase, make_counts, median_of
from comparison.rows import Row, rows
from comparison.table import Result, shown, write

__all__ = ["OPTIONS", "compare", "measured_row"]

OPTIONS = ("compare", "rows", "quick", "out")


@dataclass
class Setting:
    """The builds, the counts made so far, and the rate of the float32 product (a function, since it drifts)."""

    old: Build
    new: Build
    folder: Path
    product: Callable[[], float]
    _counts: dict[str, Path] = field(default_factory=dict)

    def counts(self, data: str) -> Path:
        """Return the file with the counts of a dataset.

        Raises:
            LeftOut: when it is not on this machine.
        """
        if data and data not in self._counts:
            path = self.folder / f"{data}.npz"
            make_counts(self.new, data, path)
            self._counts[data] = path
        return self._counts.get(data, self.folder)

    def params(self, build: Build) -> Callable[[str, Mapping[str, Any]], dict[str, Any]]:
        """Return what gives parameters the names of a build; it raises LeftOut when there is one that it lacks."""

        def translate(method: str, params: Mapping[str, Any]) -> dict[str, Any]:
            found = translated(build, method, params, (self.old, self.new))
            if isinstance(found, str):
                raise LeftOut(found)
            return found

        return translate


def compare(options: Mapping[str, str], product: Callable[[], float]) -> None:
    """Print the table.

    Args:
        options: those of :data:`OPTIONS` that were given.
        product: measures the rate of a float32 product, GFLOP/s on one thread.

    Raises:
        CannotCompare: in one line, when an option is wrong, or the commit does not exist or cannot be run.
    """
    chosen = _chosen_rows(options)
    out = Path(options["out"]).absolute() if "out" in options else None
    if out is not None and (out.suffix not in (".json", ".csv") or not out.parent.is_dir()):
        raise CannotCompare(f"out={options['out']}: use a name that ends in .json or .csv, in a folder that is there")
    with tempfile.TemporaryDirectory(prefix="scbench-compare-") as name:
        folder = Path(name)
        (folder / "old").mkdir()
        (folder / "new").mkdir()
        old = build_of_commit(options["compare"], folder / "old")
        setting = Setting(old, build_of_tree(folder / "new"), folder, product)
        results: list[Result] = []
        for row in chosen:
            print(f"{row.name} ...", file=sys.stderr, flush=True)
            results += measured_row(row, setting)
            if out is not None:
                write(results, out)  # after each row, so that a comparison that is ended has left something
    print(shown(results))


def _chosen_rows(options: Mapping[str, str]) -> list[Row]:
    """Return the rows that were asked for."""
    if options.get("quick", "0") not in ("0", "1"):
        raise CannotCompare(f"quick={options['quick']} is neither 0 nor 1")
    known = {row.name: row for row in rows(quick=options.get("quick") == "1")}
    names = options["rows"].split(",") if options.get("rows") else list(known)
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise CannotCompare(f"no rows {', '.join(unknown)}; known: {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(names)]


def measured_row(row: Row, setting: Setting) -> list[Result]:
    """Return the lines of a row, with the reason when it cannot be measured."""
    against = setting.old.name if row.instead is None else "scanpy"
    try:
        before = setting.product()
        old, new = _samples(row, setting)
        after = setting.product()
        return [
            Result.of(
                row,
                line,
                against,
                (_value(row, line.value, old), _value(row, line.value, new)),
                [
                    (
                        _value(row, line.value, [[each[i]] for each in old]),
                        _value(row, line.value, [[each[i]] for each in new]),
                    )
                    for i in range(row.repeats)
                ],
                (before, after),
            )
            for line in row.lines
        ]
    except (LeftOut, ValueError) as error:
        return [Result.missing(row, line, against, str(error)) for line in row.lines]


def _value(row: Row, value: Callable[[Sequence[Sample], Sequence[int]], float], samples: list[list[Sample]]) -> float:
    """Return a line's value from the samples of each case."""
    sizes = [case.n_cells for case in row.cases]
    return value([median_of(each) for each in samples], sizes)


def _samples(row: Row, setting: Setting) -> tuple[list[list[Sample]], list[list[Sample]]]:
    """Return the samples of each case in both builds; who goes first changes with each repeat."""
    found: dict[bool, list[list[Sample]]] = {False: [[] for _ in row.cases], True: [[] for _ in row.cases]}
    for i, case in enumerate(row.cases):
        counts = setting.counts(case.data)
        for repeat in range(-1 if isinstance(case, CommandCase) and case.is_warm else 0, row.repeats):
            for is_new in (False, True) if repeat % 2 == 0 else (True, False):
                build = setting.new if is_new or row.instead else setting.old
                what: FitCase | CommandCase | ScanpyCase = case if is_new or row.instead is None else row.instead
                sample = what.run(build, counts, setting.params(build))
                if repeat >= 0:
                    found[is_new][i].append(sample)
    return found[False], found[True]
