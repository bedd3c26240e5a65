"""``python -m scbench.compare path=FILE methods=A,B out=DIR``: methods on one's own cells, labelled or not.

Keys:
  path=my.h5ad             the cells: any file or 10x folder that dataset=file reads
  methods=pca_kmeans,leiden  names
  out=DIR                  compare.html, tables as CSV, and the store of the runs; the same command goes on from there
  n_seeds=5                seeds 0, 1, ... of each method
  n_clusters=estimate      for all methods: a number, estimate, or true (as many as there are annotated types)
  label_key=COLUMN         annotated types, for ACC, NMI and ARI; no method sees them
  markers=false            true ranks marker genes of the clusters that methods agree on (Wilcoxon)
  device=auto              cpu, cuda, cuda:1
Anything else of the command line: engine=slurm, engine.timeout_min=60, dataset.matrix=counts, dataset.values=linear,
and parameters of a method as METHOD.PARAMETER=VALUE (leiden.resolution=0.5).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from scbench.arguments import key_values
from scbench.errors import ConfigError, ScbenchError
from scbench.escape import one_line, shown_lines
from scbench.messages import complain, show_messages
from scbench.names import check_choice, unknown

__all__ = ["main"]

_DEFAULTS = {
    "path": "",
    "methods": "pca_kmeans,leiden",
    "out": "",
    "n_seeds": "5",
    "n_clusters": "estimate",
    "label_key": "",
    "markers": "false",
    "device": "auto",
}
_GROUPS = ("dataset", "engine")


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, print the table and say where the page is.

    Returns:
        0: every run is ok; 1: some are not; 2: the command is wrong or nothing could be compared; 130 after Ctrl-C.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if {"-h", "--help"} & set(given):
        sys.stdout.write(f"{__doc__}\n")
        return 0
    show_messages()
    try:
        return _compare(given)
    except ScbenchError as error:
        complain(error)
        return 2
    except KeyboardInterrupt:
        complain("stopped by Ctrl-C; the same command goes on from here")
        return 130


def _compare(given: Sequence[str]) -> int:
    """Carry the command out."""
    options, methods, more = _read(given)
    from scbench.own_cells.compare import NO_LABELS, compared
    from scbench.own_cells.comparison.write import PAGE

    out = Path(options["out"])
    common = [f"dataset.path={options['path']}", f"seeds={_number('n_seeds', options['n_seeds'])}"]
    common += [f"n_clusters={options['n_clusters']}", f"device={options['device']}", *more]
    common += [f"dataset.label={options['label_key'] or NO_LABELS}"]
    found = compared(methods, common, out, markers=options["markers"] == "true", progress=True)
    found.write(out)
    sys.stdout.write(f"{shown_lines(repr(found))}\n{one_line(out / PAGE)}\n")
    return int(bool(found.table["n_failed"].sum()))


def _read(given: Sequence[str]) -> tuple[dict[str, str], dict[str, list[str]], list[str]]:
    """Return the options, each method's own overrides, and those of all.

    Raises:
        ConfigError: an unknown key, one given twice, or no path or out.
    """
    options, more = dict(_DEFAULTS), []
    of_method: dict[str, list[str]] = {}
    for key, value in key_values(given, "scbench.compare").items():
        group, is_dotted, name = key.partition(".")
        if key in _DEFAULTS:
            options[key] = value
        elif group in _GROUPS:
            more.append(f"{key}={value}")
        elif is_dotted:
            of_method.setdefault(group, []).append(f"method.{name}={value}")
        else:
            raise ConfigError(unknown("key", key, [*_DEFAULTS, *_GROUPS, "METHOD.PARAMETER"]))
    check_choice("value of markers", options["markers"], ("true", "false"))
    for key, example in (("path", "path=my.h5ad"), ("out", "out=comparison")):
        if not options[key]:
            raise ConfigError(f"no {key} given; add {example}")
    methods: dict[str, list[str]] = {name.strip(): [] for name in options["methods"].split(",") if name.strip()}
    for name in of_method:
        if name not in methods:
            raise ConfigError(unknown("method with a parameter", name, list(methods)))
    return options, methods | of_method, more


def _number(key: str, text: str) -> int:
    """Return a whole number.

    Raises:
        ConfigError: it is none.
    """
    if not text.isdecimal() or int(text) < 1:
        raise ConfigError(f"{key} must be a whole number of at least 1, got {text!r}")
    return int(text)
