"""``python -m scbench.labels store=DIR dataset=NAME [method=A,B] out=FILE``: the labels of your own cells in one table.

  out=clusters.csv     a line for each cell, by its name
  out=labelled.h5ad    an AnnData with the same columns in obs; path=my.h5ad puts them into a copy of that file
  overwrite=true       replace a file that is there

For each method, and each variant, set of parameters and number of clusters that the store has runs of: a column with
the clusters of its lowest seed, and where there are several seeds ``..._consensus``, the partition that agrees best
with all of them, and ``..._agreement``, from 0 to 1: how often a cell is with the others of its cluster in the runs.
Cells that a run left out (dataset.unlabelled=drop, dataset.empty_cells=drop) are not there.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from scbench.errors import ConfigError, ScbenchError
from scbench.escape import one_line
from scbench.messages import complain, show_messages
from scbench.names import check_choice, unknown

__all__ = ["main"]

_KEYS = ("store", "dataset", "method", "out", "path", "overwrite")


def main(arguments: Sequence[str] | None = None) -> int:
    """Collect the labels and say what was written.

    Returns:
        0, or 2 when the command is wrong or there is nothing to collect.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if {"-h", "--help"} & set(given):
        sys.stdout.write(f"{__doc__}\n")
        return 0
    show_messages()
    try:
        for line in _run(_options(given)):
            sys.stdout.write(one_line(line) + "\n")
    except ScbenchError as error:
        complain(error)
        return 2
    return 0


def _options(given: Sequence[str]) -> dict[str, str]:
    """Return the values by key.

    Raises:
        ConfigError: an unknown key, one without a value or given twice, or what has to be given is not.
    """
    found = {"store": "results/runs", "method": "", "path": "", "overwrite": "false"}
    seen = set()
    for argument in given:
        key, separator, value = argument.partition("=")
        if key not in _KEYS:
            raise ConfigError(unknown("key", key, _KEYS))
        if not separator or not value or key in seen:
            raise ConfigError(f"{argument}: give {key}=VALUE, once")
        seen.add(key)
        found[key] = value
    for key, example in (("dataset", "my_cells"), ("out", "clusters.csv")):
        if key not in found:
            raise ConfigError(f"{key} is missing; give it, as in {key}={example}")
    check_choice("overwrite", found["overwrite"], ("true", "false"))
    suffix = Path(found["out"]).suffix
    if suffix not in (".csv", ".h5ad"):
        raise ConfigError(f"out={found['out']} must end in .csv or .h5ad")
    if found["path"] and suffix == ".csv":
        raise ConfigError("path= is the AnnData file that out=....h5ad is a labelled copy of; a csv needs none")
    return found


def _run(options: dict[str, str]) -> list[str]:
    """Write the file and return what there is to say."""
    from scbench.own_cells.collected_labels import collected_labels
    from scbench.own_cells.write_table import write_csv, write_h5ad

    out = Path(options["out"]).expanduser()
    if out.exists() and options["overwrite"] != "true":
        raise ConfigError(f"out={out} exists; choose another name, or add overwrite=true to replace it")
    methods = [name for name in options["method"].split(",") if name]
    table, lines = collected_labels(Path(options["store"]).expanduser(), options["dataset"], methods)
    try:
        if out.suffix == ".csv":
            write_csv(out, table)
        else:
            lines += write_h5ad(out, table, Path(options["path"]).expanduser() if options["path"] else None)
    except OSError as error:
        raise ConfigError(f"out={out} cannot be written ({error.strerror or error}); choose another place") from error
    return [*lines, f"{len(table)} cells, {', '.join(table.columns)}: {out}"]


if __name__ == "__main__":
    sys.exit(main())
