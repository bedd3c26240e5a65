"""The GPU, as ``make bench-gpu`` measures it: at most eight minutes in all, and nothing is downloaded.

``python tests/perf/bench_gpu.py`` measures all rows, ``rows=agreement,sharing`` some, ``out=FILE`` writes them as JSON;
``device=cuda:1`` takes another GPU. Each row has its own limit, and one for which no time is left says so; ``rows=`` gives
all the time to one. ``device=cpu quick=1`` goes through everything without a GPU and with tiny sizes, to try this program.

Agreement: labels of a GPU and of the CPU with the same seed against labels of two seeds on the CPU (ARI). The networks are
trained for fewer epochs than by default there, so that the CPU is through in time. Large sets are simulations in the
shape of the set that the target is of, made while the first rows are measured.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from comparison.builds import Build, CannotCompare, build_of_tree
from comparison.cases import LeftOut, make_counts
from gpu.agreement import agreement
from gpu.fits import Fit, fit, start_fits
from gpu.sharing import runs_made
from gpu.sizes import LARGE, SHORT, TINY
from gpu.time_left import TimeLeft

TOTAL_SECONDS = 450  # of eight minutes, with what it takes to start and to end
MAKE_SECONDS = 240  # of the counts of one set, made beside the first rows
OPTIONS = ("device", "quick", "rows", "out")
CUDA = "import torch; print(int(torch.cuda.is_available()))"


@dataclass(frozen=True)
class Found:
    """One line: what was measured, whether its target holds (``yes``, ``no``, ``-``), and what is to be said of it."""

    row: str
    what: str
    value: str
    target: str = ""
    holds: str = "-"


ROWS = ("agreement", "scsiameseclu_large", "scsamac_large", "sharing", "cicl_large")


class Bench:
    """All rows on one device.

    Args:
        build: this code.
        device: ``cuda`` (the first GPU), ``cuda:<n>``, or ``cpu`` to try the program.
        quick: tiny sizes.
    """

    def __init__(self, build: Build, device: str, *, quick: bool) -> None:
        self.build, self.quick = build, quick
        self.device = "cuda:0" if device == "cuda" else device  # one GPU, also where there are more
        self.time = TimeLeft(TOTAL_SECONDS)
        self.params = TINY if quick else SHORT
        self._makers = ThreadPoolExecutor(3)
        self._counts: dict[str, Future[Path]] = {}

    def make(self, data: str) -> Future[Path]:
        """Start to make counts, once."""
        if data not in self._counts:
            self._counts[data] = self._makers.submit(self._made, data)
        return self._counts[data]

    def _made(self, data: str) -> Path:
        path = self.build.folder.parent / f"{data}.npz"
        make_counts(self.build, data, path, MAKE_SECONDS)
        return path

    def data_of(self, row: str) -> str:
        """Return the dataset of a row."""
        if row in LARGE:
            return "90x60x3" if self.quick else LARGE[row].data
        return "60x50x3" if self.quick else "pbmc68k_reduced"

    def measured(self, row: str) -> list[Found]:
        """Return the lines of a row, one with the reason where it cannot be measured."""
        do: Callable[[str], list[Found]] = {"agreement": self._agreement, "sharing": self._sharing}.get(
            row, self._large
        )
        try:
            return do(row)
        except (LeftOut, ValueError, TimeoutError) as error:
            return [Found(row, row, f"left out: {error or 'its counts were not made in time'}")]

    def _limit(self, wanted: float) -> float:
        limit = self.time.limit(wanted, least_seconds=5.0)
        if limit is None:
            raise LeftOut(f"no time left of {TOTAL_SECONDS} s; rows= gives it some")
        return limit

    def _agreement(self, row: str) -> list[Found]:
        """Compare labels of the two devices; all seeds of the CPU run beside."""
        counts = self.make(self.data_of(row)).result(self._limit(60))
        cpu_seeds, gpu_seeds = (range(2), range(1)) if self.quick else (range(3), range(2))
        until = time.monotonic() + self._limit(300 if self.quick else 150)  # one core may have to do all of it
        jobs = [(name, params, seed) for name, params in self.params.items() for seed in cpu_seeds]
        on_cpu = start_fits(self.build, jobs, counts, until)
        lines = []
        for name, params in self.params.items():
            try:
                given = (self.build, name, params, counts)
                on_gpu = {seed: fit(*given, seed=seed, device=self.device, until=until) for seed in gpu_seeds}
                cpu = {seed: on_cpu[name, seed].result() for seed in cpu_seeds}
                lines += self._agreed(row, name, cpu, on_gpu)
            except (LeftOut, ValueError) as error:
                lines.append(Found(row, f"{name}, labels", f"left out: {error}"))
        return lines

    def _agreed(self, row: str, name: str, on_cpu: Mapping[int, Fit], on_gpu: Mapping[int, Fit]) -> list[Found]:
        """Return the lines of one method."""
        labels = [
            {seed: each.labels for seed, each in fits.items() if each.labels is not None} for fits in (on_cpu, on_gpu)
        ]
        found = agreement(*labels)
        ari = f"ARI {found.same_seed:.3f} to the CPU's; between seeds {found.seeds_least:.3f} to mean {found.seeds_mean:.3f}"
        seconds = [sorted(each.seconds for each in fits.values())[len(fits) // 2] for fits in (on_cpu, on_gpu)]
        peak = max(each.gpu_bytes for each in on_gpu.values())
        took = f"{seconds[1]:.1f} s, CPU {seconds[0]:.1f} s; peak {peak / 1e6:.0f} MB on the GPU"
        holds = "yes" if found.holds else "no"
        return [Found(row, f"{name}, labels", ari, ">= least of seeds", holds), Found(row, f"{name}, fit", took)]

    def _large(self, row: str) -> list[Found]:
        """Fit a large set within its limit."""
        large = LARGE[row]
        counts = self.make(self.data_of(row)).result(self._limit(150))
        until = time.monotonic() + self._limit(large.limit)
        params = TINY[large.method] if self.quick else {}
        done = fit(self.build, large.method, params, counts, seed=0, device=self.device, until=until)
        what, target = f"{large.method}, {self.data_of(row)}", f"<= {large.seconds:.0f} s"
        if done.labels is None:
            over = "no" if done.seconds > large.seconds else "-"
            return [
                Found(row, what, f"not over after {done.seconds:.0f} s, {done.told['epochs']} epochs", target, over)
            ]
        info = done.told["info"]
        stop = f" ({info['stop_reason']})" if info.get("stop_reason") else ""
        value = f"{done.seconds:.1f} s, {done.told['epochs']} epochs{stop}"
        lines = [Found(row, what, value, target, "yes" if done.seconds <= large.seconds else "no")]
        if self.device != "cpu":
            value = f"{done.gpu_bytes / 1e9:.2f} GB, {done.told['reserved_gpu_bytes'] / 1e9:.2f} GB reserved"
            most = large.gpu_bytes
            holds = "-" if most is None else "yes" if done.gpu_bytes <= most else "no"
            lines.append(
                Found(row, "  peak on the GPU", value, "" if most is None else f"<= {most / 1e9:.0f} GB", holds)
            )
        return lines

    def _sharing(self, row: str) -> list[Found]:
        """Count the runs per minute of whole commands, with 1 to 8 runs on the GPU at a time."""
        words = ["method=scsiameseclu", f"device={self.device}", "dataset=pbmc68k_reduced"]
        if self.quick:
            words[-1:] = ["dataset=simulated", "dataset.n_cells=60", "dataset.n_genes=50", "dataset.n_types=3"]
        words += [f"method.{name}={value}" for name, value in self.params["scsiameseclu"].items()]
        lines = []
        for n in (1, 2) if self.quick else (1, 2, 4, 8):
            made = runs_made(self.build, [*words, f"engine.runs_per_gpu={n}"], 2 if self.quick else 8, self._limit(50))
            lines.append(Found(row, f"scsiameseclu, {n} runs per GPU", str(made)))
        return lines

    def close(self) -> None:
        """Wait for nothing further."""
        self._makers.shutdown(wait=True, cancel_futures=True)


def main(words: list[str]) -> None:
    """Print the rows."""
    options = dict(word.split("=", 1) for word in words if "=" in word)
    device, chosen = options.get("device", "cuda"), [name for name in options.get("rows", "").split(",") if name]
    wrong = sorted({*options, *(word for word in words if "=" not in word)} - set(OPTIONS)) + sorted(
        set(chosen) - set(ROWS)
    )
    if wrong or re.fullmatch(r"cpu|cuda(:\d+)?", device) is None or options.get("quick", "0") not in ("0", "1"):
        raise SystemExit(
            f"device=cuda, cuda:<n> or cpu, quick=1, rows={','.join(ROWS)}, out=FILE; got {' '.join(words)}"
        )
    asked = subprocess.run([sys.executable, "-c", CUDA], capture_output=True, text=True, check=False)
    if asked.returncode != 0:
        raise SystemExit(f"torch cannot be imported by {sys.executable}; make run installs it, or give VENV=")
    if device != "cpu" and asked.stdout.strip() != "1":
        print("no CUDA device: nothing measured")
        return
    with tempfile.TemporaryDirectory(prefix="scbench-gpu-") as name:
        (Path(name) / "new").mkdir()
        try:
            bench = Bench(build_of_tree(Path(name) / "new"), device, quick=options.get("quick") == "1")
        except CannotCompare as error:
            raise SystemExit(str(error)) from None
        found: list[Found] = []
        rows = [row for row in ROWS if not chosen or row in chosen]
        for row in rows:  # the first rows' are small; those of the large ones are made beside them
            if row != "sharing":
                bench.make(bench.data_of(row))
        print(
            f"{len(os.sched_getaffinity(0))} cores; at most {TOTAL_SECONDS} s; fits with the seconds of all they do",
            flush=True,
        )
        for row in rows:
            for line in bench.measured(row):
                found.append(line)
                print(f"{line.what:<34} {line.value:<66} {line.target:<18} {line.holds}".rstrip(), flush=True)
            if "out" in options:
                Path(options["out"]).write_text(json.dumps([asdict(line) for line in found], indent=1) + "\n")
        bench.close()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))  # so that folders are removed
    main(sys.argv[1:])
