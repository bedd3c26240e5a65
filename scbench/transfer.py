"""``python -m scbench.transfer method=M dataset=D [batch=COLUMN]``: learn on one batch, place the cells of another.

Both directions of every pair of batches, each seed (0 to 9) once. The method learns on the first batch alone, in one
fit for all the others, and places the cells of the second with what it has learnt; the number of clusters is that of
the first batch's types. Other keys are those of ``python -m scbench`` (method.*, seeds, n_clusters, device,
engine.threads); with dataset.unlabelled=drop, cells without a type or a batch are left out. out=DIR also writes
transfer.csv there, a line for each pair, seed and part; ``seconds`` are those of the fit, or of placing.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scbench.config.compose import run_with_config
from scbench.config.schema import RunConfig, parse_seeds
from scbench.errors import ConfigError, ScbenchError, StoreError
from scbench.escape import one_line
from scbench.messages import complain
from scbench.metrics.registry import HEADLINE, METRICS, SCORES
from scbench.report.csv_tables import write_csv
from scbench.run.transfer_run import make_method, transfer_run
from scbench.tables.cell import mean_of
from scbench.tables.measures import MEASURES

__all__ = ["main"]

_COLUMNS = (
    "method", "variant", "dataset", "learnt_on", "placed", "part", "seed", "status", "error", "n_cells", "k_given",
    "k_found", *SCORES, "seconds",
)  # fmt: skip


_SHOWN = (*HEADLINE, "ami", "completeness")  # others are in the file


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all directions and print the table.

    Returns:
        0: all ok; 1: at least one fit failed; 2: the command is wrong.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if {"-h", "--help"} & set(given):
        sys.stdout.write(f"{__doc__}\n")
        return 0
    own = dict(argument.partition("=")[::2] for argument in given if argument.partition("=")[0] in ("batch", "out"))
    rest = [argument for argument in given if argument.partition("=")[0] not in own]
    try:
        return run_with_config(rest, lambda configs: _transfer(configs, own.get("batch", "batch"), own.get("out")))
    except ScbenchError as error:
        complain(error)
        return 2


def _transfer(configs: Sequence[RunConfig], column: str, out: str | None) -> int:
    """Make all runs of one configuration."""
    if len(configs) > 1:
        raise ConfigError(f"transfer takes one method and one dataset, got {len(configs)} jobs; give one at a time")
    from scbench.data.batches import read_batches

    config = configs[0]
    make_method(config)
    counts, types, batches = read_batches(config.dataset, column)
    names = sorted(set(batches))
    if len(names) < 2:
        raise ConfigError(f"transfer needs two batches, and column {column!r} holds one ({names[0]}); name another")
    lines: list[dict[str, Any]] = []
    named = {"method": config.method.name, "variant": config.method.variant, "dataset": config.dataset.name}
    path = None if out is None else _file_in(Path(out))
    parts = {name: np.flatnonzero(batches == name) for name in names}
    for learnt_on in names:
        made = [
            named | line
            for seed in parse_seeds(config.seeds)
            for line in transfer_run(config, counts, types, parts, learnt_on, seed)
        ]
        lines += sorted(made, key=lambda line: names.index(line["placed"]))  # the order of seeds stays
        if path is not None:  # what is done stays when the rest is interrupted
            write_csv(path, lines, _COLUMNS)
    if path is not None:
        sys.stdout.write(f"{one_line(path)}\n")
    _print(lines)
    return int(any(line["status"] != "ok" for line in lines))


def _file_in(out: Path) -> Path:
    """Return the file to write, which can be written: a folder that cannot must not cost the fits."""
    path = out / "transfer.csv"
    try:
        out.mkdir(parents=True, exist_ok=True)
        path.open("a").close()  # what an earlier command wrote stays until there is something new
    except OSError as error:
        raise StoreError(f"{path} cannot be written ({error.strerror or error}); choose another folder") from error
    return path


def _print(lines: Sequence[dict[str, Any]]) -> None:
    """Print mean ± sd of each direction, for the batch that was learnt from and for the other."""
    from scbench.consoles import PlainTable, TableConsole, print_whole, say

    scores = (METRICS[name].heading for name in _SHOWN)
    table = PlainTable.of_columns("learnt on", "scored on", *scores, "K given/found", "ok", left=2)
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for line in lines:
        groups.setdefault((line["learnt_on"], line["placed"], line["part"]), []).append(line)
    for (learnt_on, placed, part), members in groups.items():
        ok = [line for line in members if line["status"] == "ok"]
        scored_on = learnt_on if part == "learnt" else placed
        values = (mean_of([line[name] for line in ok]).text(MEASURES[name]) for name in _SHOWN)
        table.add_row(
            learnt_on,
            scored_on,
            *values,
            f"{_span(members, 'k_given')}/{_span(ok, 'k_found')}",
            f"{len(ok)}/{len(members)}",
        )
    console = TableConsole()
    print_whole(console, table)
    for message in dict.fromkeys(line["error"] for line in lines if line["error"]):
        say(console, f"failed: {message}")


def _span(lines: Sequence[dict[str, Any]], name: str) -> str:
    """Return the smallest and the largest value: ``3-5``."""
    values = sorted({line[name] for line in lines if name in line})
    return "-".join(map(str, dict.fromkeys((values[0], values[-1])))) if values else "-"


if __name__ == "__main__":
    sys.exit(main())
