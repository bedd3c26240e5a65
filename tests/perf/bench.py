"""Speed and memory, as ``make bench`` prints them. Figures only: nothing here passes or fails.

``python tests/perf/bench.py`` prints all, ``python tests/perf/bench.py framework cicl`` those of the named parts; a
part is a module ``bench_<part>.py`` beside this one with a function ``figures``. Every figure is that of whole
processes with empty caches, unless it says otherwise. Real count sets are taken from ``SCBENCH_DATA_PATH``; figures
that need one are left out, with the reason, when it is not there.

``compare=<commit>`` prints another table: that build and this one side by side (:mod:`comparison.command`), with ``rows=``
some of its rows, ``quick=1`` tiny sizes, and ``out=FILE`` the results as JSON or CSV. ``bench_gpu.py`` is ``make bench-gpu``.
"""

from __future__ import annotations

import importlib
import os
import platform
import signal
import sys
from pathlib import Path

from comparison.builds import CannotCompare
from comparison.command import OPTIONS, compare
from measuring import REPEATS, matmul_rate


def parts() -> list[str]:
    """Return the names of all parts, the framework first."""
    found = sorted(path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py"))
    return sorted((name for name in found if name != "gpu"), key=lambda name: name != "framework")


def main(words: list[str]) -> None:
    """Print the figures of the chosen parts, or of all; or the comparison that options ask for."""
    options = dict(word.split("=", 1) for word in words if "=" in word)
    chosen = [word for word in words if "=" not in word]
    if options:
        compare_builds(options, chosen)
        return
    unknown = sorted(set(chosen) - set(parts()))
    if unknown:
        raise SystemExit(f"no figures for {', '.join(unknown)}; known: {', '.join(parts())}")
    print(
        f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores; "
        f"float32 matrix product on one core {matmul_rate():.0f} GFLOP/s"
    )
    print(f"medians of {REPEATS} where not said otherwise, whole processes, empty caches, one thread per run")
    for part in chosen or parts():
        print(f"\n{part}")
        importlib.import_module(f"bench_{part}").figures()


def compare_builds(options: dict[str, str], chosen: list[str]) -> None:
    """Print the comparison, or the line that says why there is none."""
    unknown = sorted(set(options) - set(OPTIONS))
    if unknown or chosen or "compare" not in options:
        raise SystemExit(f"options are {', '.join(f'{name}=' for name in OPTIONS)}, with compare= and without parts")
    try:
        compare(options, matmul_rate)
    except CannotCompare as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))  # so that folders are removed
    main(sys.argv[1:])
