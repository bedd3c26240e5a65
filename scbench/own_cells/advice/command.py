"""``python -m scbench.advise path=FILE``: which method for these cells.

Keys:
  path=my.h5ad         the cells: any file or 10x folder that dataset=file reads
  n_clusters=K         K where it is known
  out=advice.html      also write a page
  gpu=auto             true or false: as if a CUDA device were there, or not
  store=DIR            also count the runs of this store; without it those that the package ships
  dataset.KEY=VALUE    how the file is read: dataset.matrix=counts, dataset.values=log_normalised
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from scbench.arguments import key_values
from scbench.errors import ConfigError, ScbenchError, StoreError
from scbench.escape import shown_lines
from scbench.messages import complain, show_messages
from scbench.names import check_choice, unknown

__all__ = ["main"]

_DEFAULTS = {"path": "", "n_clusters": "", "out": "", "gpu": "auto", "store": ""}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print advice.

    Returns:
        0, or 2 when the command is wrong or the file cannot be read; 130 after Ctrl-C.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if {"-h", "--help"} & set(given):
        sys.stdout.write(f"{__doc__}\n")
        return 0
    show_messages()
    try:
        sys.stdout.write(shown_lines(_advise(given)) + "\n")
    except ScbenchError as error:
        complain(error)
        return 2
    except KeyboardInterrupt:
        complain("stopped by Ctrl-C")
        return 130
    return 0


def _advise(given: Sequence[str]) -> str:
    """Return the advice as text, and write the page when it is asked for."""
    options, of_dataset = _read(given)
    from scbench.own_cells.advice.advice import advise
    from scbench.own_cells.advice.cells import cells_of
    from scbench.own_cells.advice.measured import measured_runs, shipped_runs
    from scbench.own_cells.advice.shown import advice_page, advice_text
    from scbench.whole_file import write_whole

    runs = shipped_runs()
    if options["store"]:
        from scbench.store.store import Store

        if not Path(options["store"]).is_dir():
            raise StoreError(f"there is no store {options['store']}; give the folder that store= named for the runs")
        own = measured_runs(Store(options["store"]).records())
        known = {(run.method, run.dataset) for run in own}
        runs = [*own, *(run for run in runs if (run.method, run.dataset) not in known)]
    has_gpu = {"auto": None, "true": True, "false": False}[options["gpu"]]
    n_clusters = int(options["n_clusters"]) if options["n_clusters"] else None
    found = advise(cells_of(options["path"], of_dataset, n_clusters, has_gpu), runs)
    if options["out"]:
        try:
            write_whole(Path(options["out"]), advice_page(found).encode("utf-8", "backslashreplace"))
        except OSError as error:
            raise StoreError(
                f"cannot write {options['out']} ({error.strerror or error}); choose another out="
            ) from error
    return advice_text(found)


def _read(given: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Return the options, and overrides of the dataset.

    Raises:
        ConfigError: an unknown key, one given twice, no path, or a wrong value.
    """
    options, of_dataset = dict(_DEFAULTS), []
    for key, value in key_values(given, "scbench.advise").items():
        if key in _DEFAULTS:
            options[key] = value
        elif key.startswith("dataset."):
            of_dataset.append(f"{key}={value}")
        else:
            raise ConfigError(unknown("key", key, [*_DEFAULTS, "dataset.KEY"]))
    if not options["path"]:
        raise ConfigError("no path given; add path=my.h5ad")
    check_choice("value of gpu", options["gpu"], ("auto", "true", "false"))
    k = options["n_clusters"]
    if k and not (k.isdecimal() and int(k) >= 1):
        raise ConfigError(f"n_clusters must be a whole number of at least 1, got {k!r}")
    return options, of_dataset
