"""Speed and memory, as ``make bench`` prints them. Figures only: nothing here passes or fails.

``python tests/perf/bench.py`` prints all, ``python tests/perf/bench.py framework cicl`` those of the named parts; a
part is a module ``bench_<part>.py`` beside this one with a function ``figures``. Every figure is that of whole
processes with empty caches, unless it says otherwise. Real count sets are taken from ``SCBENCH_DATA_PATH``; figures
that need one are left out, with the reason, when it is not there.
"""

from __future__ import annotations

import importlib
import os
import platform
import sys
from pathlib import Path

from measuring import REPEATS, matmul_rate


def parts() -> list[str]:
    """Return the names of all parts, the framework first."""
    found = sorted(path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py"))
    return sorted(found, key=lambda name: name != "framework")


def main(chosen: list[str]) -> None:
    """Print the figures of the chosen parts, or of all."""
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


if __name__ == "__main__":
    main(sys.argv[1:])
