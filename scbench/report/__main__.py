"""``python -m scbench.report [experiment=E] [store=DIR] [out=DIR]``: tables, statistics, figures, ``report.html``.

Keys, all with a default:
  store=results/runs       the run store
  out=results/reference    where files go
  experiment=E             only the runs of a named comparison (conf/experiment), written to out/E
  published=results/published  the papers' numbers
  methods=A,B datasets=C,D seeds=0,1 protocol=honest   only these (controls always stay); default: everything
  metrics=acc,nmi,ari      others: OTHERS; or all
  figures=true             false leaves figures out
  details=A,B              datasets whose runs get curves, embedding, confusion table, river and similarity; default:
                           the smallest one whose labels are at hand; none leaves them out. report.html has curves
                           and a plain embedding of every run, and annotated types for these datasets
  embedding=umap           or tsne
  markers=false            true ranks marker genes of every cluster (Wilcoxon) on each dataset that is at hand and has
                           gene names, and counts those shared with annotated types; seconds per method and dataset
report.markers=true is read as markers=true, and so with every key.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from scbench.config.experiment import load_experiment
from scbench.errors import ConfigError, ScbenchError
from scbench.escape import one_line
from scbench.messages import complain
from scbench.names import check_choice, unknown
from scbench.report.experiment_selection import refuse_second_choice, selection_of_experiment
from scbench.report.selection import Selection, selection_of
from scbench.tables.measures import DEFAULT_MEASURES, MEASURES, measures_of

if TYPE_CHECKING:  # imported where they are used: --help needs none of their packages
    from scbench.report.content import Content
    from scbench.report.markers.collect import MarkerReport

__all__ = ["main"]

_DEFAULTS = {
    "store": "results/runs",
    "out": "results/reference",
    "experiment": "",
    "published": "results/published",
    "methods": "",
    "datasets": "",
    "seeds": "",
    "protocol": "",
    "metrics": "",
    "figures": "true",
    "details": "",
    "embedding": "umap",
    "markers": "false",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the report and say where its files are.

    Returns:
        0, 2 when the command is wrong or the store cannot be read, or 130 after Ctrl-C.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if {"-h", "--help"} & set(given):
        others = ", ".join(name for name in MEASURES if name not in DEFAULT_MEASURES)
        sys.stdout.write(f"{__doc__}".replace("OTHERS", others))
        return 0
    try:
        written = _write(_options(given))
    except ScbenchError as error:
        complain(error)
        return 2
    except KeyboardInterrupt:
        complain("stopped by Ctrl-C; a report that was there before is as it was")
        return 130
    for path in written:
        sys.stdout.write(f"{one_line(path)}\n")
    return 0


def _write(options: dict[str, str]) -> list[Path]:
    """Write the report of a command."""
    comparison = _comparison(options)
    measures = measures_of(comparison.metrics)
    check_choice("value of figures", options["figures"], ("true", "false"))
    check_choice("embedding", options["embedding"], ("umap", "tsne"))
    check_choice("value of markers", options["markers"], ("true", "false"))
    named = tuple(name for name in options["details"].split(",") if name)
    details = None if not named else () if named == ("none",) else named
    _check_packages()
    from scbench.report.content import read_content
    from scbench.report.write import write_report

    content = read_content(Path(options["store"]), comparison.selection, measures, Path(options["published"]))
    markers = _markers(content) if options["markers"] == "true" else None
    if options["figures"] == "false":
        return write_report(content, comparison.out, comparison.title, markers=markers)
    from scbench.report.figures.draw import Drawing

    drawing = Drawing(details, options["embedding"])
    written = write_report(content, comparison.out, comparison.title, drawing, markers)
    for reason in drawing.left_out:
        _print_aside(f"figures left out: {reason}")
    return written


def _markers(content: Content) -> MarkerReport:
    """Return the markers of all clusters, saying what is ranked and what is left out."""
    from scbench.report.markers.collect import collect_markers

    report = collect_markers(content, lambda text: _print_aside(f"markers: {text}"))
    for reason in report.left_out:
        _print_aside(f"markers left out: {reason}")
    return report


def _print_aside(text: str) -> None:
    """Write a line beside what the command prints."""
    complain(text)
    sys.stderr.flush()


class _Comparison(NamedTuple):
    """What a report is of: which records, under which title, with which measures, and where it goes."""

    selection: Selection
    title: str
    metrics: str
    out: Path


def _comparison(options: dict[str, str]) -> _Comparison:
    """Return the comparison that a command asks for."""
    out = Path(options["out"])
    if not options["experiment"]:
        return _Comparison(selection_of(options), "Comparison", options["metrics"] or ",".join(DEFAULT_MEASURES), out)
    refuse_second_choice(options)
    experiment = load_experiment(options["experiment"])
    metrics = options["metrics"] or ",".join(experiment.metrics)
    return _Comparison(selection_of_experiment(experiment), experiment.title, metrics, out / experiment.name)


def _options(arguments: Sequence[str]) -> dict[str, str]:
    """Read ``key=value`` arguments."""
    options = dict(_DEFAULTS)
    for argument in arguments:
        key, separator, value = argument.removeprefix("report.").partition("=")
        if key not in options:
            raise ConfigError(unknown("key", key, options))
        if not separator or not value:
            raise ConfigError(
                f"{key} has no value; write {key}={'DIR' if key in ('store', 'out', 'published') else 'A,B'}"
            )
        options[key] = value
    return options


def _check_packages() -> None:
    """Check that what reports need is installed.

    Raises:
        ConfigError: a package is missing.
    """
    missing = [name for name in ("matplotlib", "umap") if find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"reports need packages that are not installed ({', '.join(missing)}); install scbench with its extra "
            "'report': pip install 'scbench[report]'"
        )


if __name__ == "__main__":
    sys.exit(main())
