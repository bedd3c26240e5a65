"""One measurement in one build: a fit, a whole command, or what scanpy does in its place."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from comparison.builds import Build

__all__ = ["CommandCase", "FitCase", "LeftOut", "Phase", "Sample", "ScanpyCase", "call", "make_counts", "median_of"]

HERE = Path(__file__).parent
_NOT_HERE = 3  # status of make_counts


class LeftOut(Exception):  # noqa: N818 - no error: the table says it
    """A figure cannot be had; the message says why."""


@dataclass(frozen=True)
class Sample:
    """What one measurement took; memory is of the process with the most."""

    cpu_seconds: float
    wall_seconds: float
    peak_rss_bytes: float
    epochs: float = 0.0


@dataclass(frozen=True)
class Phase:
    """The epochs that have one value in what a method logs, and lack another."""

    needs: str
    lacks: str = ""

    def seconds(self, stamps: Sequence[Mapping[str, Any]], clock: str) -> float:
        """Return the mean seconds between the ends of its epochs, ``cpu`` or ``wall``; the first only starts the clock.

        The mean and not the median, because a step may be due every few epochs only.

        Raises:
            LeftOut: when there are fewer than two.
        """
        at = [stamp[clock] for stamp in stamps if self.needs in stamp["keys"] and self.lacks not in stamp["keys"]]
        if len(at) < 2:
            raise LeftOut(f"fewer than two epochs log {self.needs}")
        return float(at[-1] - at[0]) / (len(at) - 1)


@dataclass(frozen=True)
class FitCase:
    """``fit_predict`` of a method on a dataset, in a process of its own.

    Attributes:
        method: its name.
        data: as of :mod:`make_counts`.
        params: by the names of either build.
        new_params: what the newer build is given besides.
        phase: whose epochs are timed; None: the fit, ``is_whole`` says whether with the preparation of its input.
    """

    method: str
    data: str
    params: Mapping[str, Any] = field(default_factory=dict)
    new_params: Mapping[str, Any] = field(default_factory=dict)
    phase: Phase | None = None
    is_whole: bool = False

    @property
    def shown(self) -> str:
        """What is run, for the table."""
        given = self.params | {f"{name} (new)": value for name, value in self.new_params.items()}
        words = [f"method={self.method}", f"dataset={self.data}", *(f"method.{k}={v}" for k, v in given.items())]
        return f"fit_once.py {' '.join(words)} seed 0"

    @property
    def n_cells(self) -> int:
        """Cells of a simulation; 0 of another dataset."""
        return int(self.data.partition("x")[0]) if self.data[0].isdigit() else 0

    def run(self, build: Build, counts: Path, translate: Callable[..., Mapping[str, Any]]) -> Sample:
        """Return what it took.

        Raises:
            LeftOut: when it failed.
        """
        params = translate(self.method, {**self.params, **(self.new_params if build.name == "new" else {})})
        job = {
            "method": self.method,
            "params": params,
            "counts": str(counts),
            "seed": 0,
            "device": "cpu",
            "labels": None,
        }
        found = call(build, [str(HERE / "fit_once.py"), json.dumps(job)])
        if self.phase is not None:
            seconds = [self.phase.seconds(found["stamps"], clock) for clock in ("cpu", "wall")]
        else:
            less = 0 if self.is_whole else 1
            seconds = [found[f"{c}_seconds"] - less * found[f"prepare_{c}_seconds"] for c in ("cpu", "wall")]
        return Sample(*seconds, found["peak_rss_bytes"], found["epochs"])


@dataclass(frozen=True)
class ScanpyCase:
    """What scanpy takes for the same."""

    pipeline: str
    data: str

    @property
    def shown(self) -> str:
        """What is run, for the table."""
        return f"scanpy_once.py {self.pipeline}, {self.data}"

    def run(self, build: Build, counts: Path, _translate: object) -> Sample:
        """Return what it took.

        Raises:
            LeftOut: when it failed.
        """
        found = call(build, [str(HERE / "scanpy_once.py"), self.pipeline, str(counts)])
        return Sample(found["cpu_seconds"], found["wall_seconds"], found["peak_rss_bytes"])


@dataclass(frozen=True)
class CommandCase:
    """A whole ``python -m scbench`` with one run; all its processes count, and memory is the run's, by its record."""

    method: str
    words: tuple[str, ...]
    params: Mapping[str, Any] = field(default_factory=dict)
    is_warm: bool = False  # once before, so that caches and byte code are there
    data: str = ""

    @property
    def n_cells(self) -> int:
        """Cells of a simulation; 0 of another dataset."""
        sizes = [word.partition("=")[2] for word in self.words if word.startswith("dataset.n_cells=")]
        return int(sizes[0]) if sizes else 0

    @property
    def shown(self) -> str:
        """What is run, for the table."""
        given = (f"method.{name}={value}" for name, value in self.params.items())
        return " ".join(("python -m scbench", f"method={self.method}", *self.words, *given, "seeds=1 device=cpu"))

    def run(self, build: Build, _counts: object, translate: Callable[..., Mapping[str, Any]]) -> Sample:
        """Return what it took.

        Raises:
            LeftOut: when it failed.
        """
        given = [f"method.{name}={value}" for name, value in translate(self.method, self.params).items()]
        words = ["-m", "scbench", f"method={self.method}", *self.words, *given, "seeds=1", "device=cpu"]
        with tempfile.TemporaryDirectory(dir=build.folder.parent) as folder:
            taken = Path(folder) / "taken.json"
            timer = [str(HERE / "process_time.py"), str(taken), sys.executable, "-P"]
            done = build.python(*timer, *words, f"store={folder}/store")
            records = list(Path(folder).glob("store/*/*/*/record.json"))
            if done.returncode != 0 or len(records) != 1:
                raise LeftOut(f"{build.name}: {_last_line(done.stdout + done.stderr)}")
            took, record = json.loads(taken.read_text()), json.loads(records[0].read_text())
        return Sample(took["cpu_seconds"], took["wall_seconds"], record["peak_rss_bytes"] or 0)


def call(build: Build, words: Sequence[str], limit_seconds: float | None = None, grace: float = 10.0) -> dict[str, Any]:
    """Run a script of this folder in a build; return the JSON of its last line.

    Args:
        build: whose code is run.
        words: the script and its arguments.
        limit_seconds: time after which it is asked to tell what it has, and after ``grace`` more killed.
        grace: see there.

    Raises:
        LeftOut: when it failed, or told nothing in time.
    """
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", *words],
            env=build.environment,
            cwd=build.folder.parent,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            with suppress(subprocess.TimeoutExpired):
                process.wait(limit_seconds)
            if process.returncode is None:
                process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(grace)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            status = process.wait()
        output.seek(0)
        text = output.read()
    if status != 0:
        over = limit_seconds is not None and status in (-signal.SIGTERM, -signal.SIGKILL)
        raise LeftOut(f"{build.name}: " + (f"not over after {limit_seconds:.0f} s" if over else _last_line(text)))
    found: dict[str, Any] = json.loads(text.splitlines()[-1])
    return found


def make_counts(build: Build, data: str, path: Path, limit_seconds: float | None = None) -> None:
    """Write the counts of a dataset.

    Raises:
        LeftOut: when it is not on this machine, or not made in time.
    """
    try:
        done = build.python(str(HERE / "make_counts.py"), data, str(path), limit_seconds=limit_seconds)
    except subprocess.TimeoutExpired:
        raise LeftOut(f"the counts of {data} were not made in {limit_seconds:.0f} s") from None
    if done.returncode == _NOT_HERE:
        raise LeftOut(done.stdout.strip().splitlines()[-1])
    if done.returncode != 0:
        raise LeftOut(f"{data}: {_last_line(done.stdout + done.stderr)}")


def median_of(samples: Sequence[Sample]) -> Sample:
    """Return the medians of all that was measured."""
    names = Sample.__dataclass_fields__
    return Sample(**{name: statistics.median(getattr(sample, name) for sample in samples) for name in names})


def _last_line(text: str) -> str:
    """Return the last line that says something."""
    return ([line.strip() for line in text.splitlines() if line.strip()] or ["no reason given"])[-1]
