"""The study as one HTML file: the result, and Optuna's own plots as drawings inside it."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scbench.escape import html_text
from scbench.run.display import short_time
from scbench.tune.result import Result
from scbench.tune.study import Study
from scbench.tune.summary import short

if TYPE_CHECKING:
    import optuna
    from matplotlib.figure import Figure

__all__ = ["write_page"]

_LOG = logging.getLogger(__name__)
_INCHES, _INCHES_PER_PARAMETER = 7.0, 1.4
_STYLE = (
    "body{font:15px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse}td,th{padding:.2rem .8rem;text-align:left;border-bottom:1px solid #ccc}"
    "svg{max-width:100%;height:auto}"
)


def write_page(path: Path, study: Study, result: Result) -> Path | None:
    """Write the page and return its path; None when there is no matplotlib to draw with."""
    try:
        import matplotlib as mpl
    except ImportError:
        _LOG.debug("no page is written: matplotlib is not installed")
        return None
    search = study.search
    defaults = search.space.defaults(search.config)
    rows = "".join(
        f"<tr><td>{html_text(p.path)}</td><td>{html_text(short(result.params[p.path]))}</td>"
        f"<td>{html_text(short(defaults[p.path]))}</td><td>{html_text(p.shown())}</td>"
        f"<td>{result.importances.get(p.path, float('nan')):.2f}</td><td>{html_text(p.source)}</td></tr>"
        for p in search.space.parameters
    )
    counts = ", ".join(f"{n} {state}" for state, n in result.counts.items() if n)
    labels = (
        "<p><b>Tuned with the true labels: an upper bound, not a result.</b></p>"
        if search.objective.uses_labels
        else ""
    )
    width = max(_INCHES, _INCHES_PER_PARAMETER * len(search.space.parameters))  # parallel axes need room
    with mpl.rc_context(
        {"svg.hashsalt": study.name, "svg.fonttype": "none", "axes.grid": True, "figure.figsize": (width, 5.0)}
    ):
        drawings = "".join(f"<h2>{title}</h2>{drawing}" for title, drawing in _drawings(study.judged_copy()))
    path.write_text(
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{html_text(study.name)}</title>"
        f"<style>{_STYLE}</style><h1>{html_text(study.name)}</h1>{labels}"
        f"<p>{html_text(search.config.name)} on {html_text(', '.join(search.datasets))}: {counts}; "
        f"{short_time(result.seconds)} of runs. Best: trial {result.number}, {html_text(search.value_name)} "
        f"{result.value:.4f}.</p><table><tr><th>parameter</th><th>best</th><th>default</th><th>range</th>"
        f"<th>importance</th><th>source of the range</th></tr>{rows}</table>{drawings}</html>\n",
        encoding="utf-8",
    )
    return path


def _drawings(study: optuna.Study) -> list[tuple[str, str]]:
    """Return title and SVG of each plot that can be drawn from the trials there are."""
    from matplotlib import pyplot as plt
    from optuna.exceptions import ExperimentalWarning
    from optuna.importance import FanovaImportanceEvaluator
    from optuna.visualization import matplotlib as plots

    makers: list[tuple[str, Callable[[], Any]]] = [
        ("History", lambda: plots.plot_optimization_history(study)),
        ("Parallel coordinates", lambda: plots.plot_parallel_coordinate(study)),
        ("Importances", lambda: plots.plot_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0))),
    ]
    found = []
    plt.switch_backend("agg")
    for title, make in makers:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            warnings.simplefilter("ignore", UserWarning)  # about the layout
            try:
                axes = make()
            except (RuntimeError, ValueError) as error:  # too few trials, or all of one value
                found.append((title, f"<p>{html_text(error)}</p>"))
                continue
            finally:
                figures = [plt.figure(number) for number in plt.get_fignums()]
            figure = figures[-1] if figures else axes.figure
            _without_formulas(figure)
            drawn = io.StringIO()
            figure.savefig(drawn, format="svg", bbox_inches="tight", metadata={"Date": None})
        plt.close("all")
        found.append((title, drawn.getvalue().partition("?>")[2].partition(">\n")[2]))
    return found


def _without_formulas(figure: Figure) -> None:
    """Show dollar signs in names and values as such; numbers of logarithmic axes are formulas of matplotlib's own."""
    from matplotlib.text import Text

    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            axis.get_ticklabels(which="both")  # gives them their texts
    for text in figure.findobj(Text):
        if isinstance(text, Text) and not text.get_text().startswith(r"$\mathdefault{"):
            text.set_parse_math(False)
