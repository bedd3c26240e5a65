"""``python -m scbench.status [store] [--watch [SECONDS]]``: what runs, what is done, what failed and why, time left.

Reads the store and the small files that commands keep there while they work, so it can be asked from anywhere that
sees the store, while sweeps run elsewhere. Changes nothing. Plain text, without colours or control codes.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from scbench.arguments import Parser
from scbench.errors import ConfigError, ScbenchError, StoreError
from scbench.escape import one_line
from scbench.messages import complain
from scbench.run.display import short_time
from scbench.store.record import first_line, is_failure
from scbench.store.store import Store
from scbench.store.sweeps import sweeps

__all__ = ["main", "status_lines"]

_SILENT_SECONDS = 60.0  # a command that works writes every ten
_FORGOTTEN_SECONDS = 24 * 3600.0
_SHOW_AT_MOST = 12


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the state of a store, once or again and again.

    Returns:
        0, or 2 when the command is wrong or there is no such store.
    """
    try:
        options = _options(arguments)
        while True:
            lines = status_lines(Path(options.store))
            sys.stdout.write("\n".join(map(one_line, lines)) + "\n")
            sys.stdout.flush()
            if options.watch is None:
                return 0
            time.sleep(options.watch)
            sys.stdout.write("\n")
    except ScbenchError as error:
        complain(error)
        return 2
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  # the reader has seen enough; spares the flush at exit
        return 0
    except KeyboardInterrupt:
        return 0


def status_lines(root: Path) -> list[str]:
    """Return the state of a store, line by line.

    Raises:
        StoreError: when the store does not exist.
    """
    store = Store(root)
    if not store.root.is_dir():
        raise StoreError(f"store {store.root} does not exist; give the folder of a store, as in scbench.status DIR")
    now = time.time()
    lines = [f"store {store.root}, {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(now))}"]
    under_way = [sweep for sweep in sweeps(store.root) if now - sweep["updated_at"] < _FORGOTTEN_SECONDS]
    if not under_way:
        lines.append("nothing is running")
    for sweep in under_way:
        lines += _sweep_lines(sweep, now)
    return lines + list(_record_lines(store.records()))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(prog="python -m scbench.status", description="What runs, what is done, what failed, time left.")
    parser.add_argument("store", nargs="?", default="results/runs", help="folder of the store (default %(default)s)")
    parser.add_argument("--watch", nargs="?", type=float, const=10.0, metavar="SECONDS", help="again and again")
    options = parser.parse_args(arguments)
    options.store = options.store.removeprefix("store=")
    if options.watch is not None and not options.watch > 0:
        raise ConfigError(f"--watch takes a positive number of seconds, got {options.watch:g}")
    return options


def _sweep_lines(sweep: Mapping[str, Any], now: float) -> Iterator[str]:
    """Yield the lines of one command, or of one SLURM job of a command."""
    now = max(now, sweep["updated_at"])  # one of two clocks may be behind, or have been set back
    ended = Counter(sweep["ended"])
    n_done, n_ok = sum(ended.values()), ended["ok"]
    elapsed = sweep["updated_at"] - sweep["started_at"]
    rate = n_done / elapsed if n_done and elapsed > 0 else None
    words = [f"{n_done}/{sweep['n_runs']} done", *(f"{n} {status}" for status, n in ended.items() if status != "ok")]
    words += [f"{len(sweep['running'])} running"] if sweep["running"] or n_done < sweep["n_runs"] else []
    if rate is not None:
        left = max(0.0, (sweep["n_runs"] - n_done) / rate - (now - sweep["updated_at"]))
        words += [f"{60 * rate:.1f} runs/min", f"{short_time(left)} left"]
    words += [f"{sweep['n_cached']} were there before"] if sweep["n_cached"] else []
    what = f"job {sweep['job']}" if sweep["job"] else f"command {' '.join(sweep['argv'])}"
    yield f"{what} on {sweep['host']} (process {sweep['pid']})"
    if not sweep["is_alive"]:
        yield f"  was killed after {n_ok} ok; the same command goes on from there"
        return
    yield f"  {', '.join(words)}"
    if now - sweep["updated_at"] > _SILENT_SECONDS:
        yield f"  has said nothing for {short_time(now - sweep['updated_at'])}; it may have been killed"
    for run in sweep["running"][:_SHOW_AT_MOST]:
        epoch = "" if run["epoch"] is None else f", epoch {run['epoch']}"
        since = short_time(max(0.0, now - run["since"]))
        yield f"  {run['method']} on {run['dataset']}, seed {run['seed']}: {since} on {run['device']}{epoch}"
    if len(sweep["running"]) > _SHOW_AT_MOST:
        yield f"  and {len(sweep['running']) - _SHOW_AT_MOST} more"


def _record_lines(records: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what the records come to."""
    statuses: Counter[str] = Counter()
    reasons: Counter[tuple[str, str]] = Counter()
    methods: dict[tuple[str, str], set[str]] = {}
    for record in records:
        statuses[record["status"]] += 1
        if is_failure(record):
            reason = (record["status"], first_line(record["error"]["message"]))
            reasons[reason] += 1
            methods.setdefault(reason, set()).add(record["method"])
    counts = f"{statuses['ok']} ok, {sum(reasons.values())} failed, {statuses['interrupted']} interrupted"
    yield f"{sum(statuses.values())} records: {counts}"
    for (status, message), n in reasons.most_common(_SHOW_AT_MOST):
        yield f"  {n} x {status} ({', '.join(sorted(methods[status, message]))}): {message}"
    if len(reasons) > _SHOW_AT_MOST:
        yield f"  and {len(reasons) - _SHOW_AT_MOST} more reasons"


if __name__ == "__main__":
    sys.exit(main())
