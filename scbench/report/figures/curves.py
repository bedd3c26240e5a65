"""Learning curves: each logged value, and ARI and NMI of stored snapshots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scbench.escape import figure_text
from scbench.metrics import score
from scbench.report.figures.files import new_figure
from scbench.report.figures.palette import OKABE_ITO
from scbench.report.figures.true_types import Truth
from scbench.store.stored_arrays import stored_snapshots

__all__ = ["learning_curves", "read_history", "score_snapshots"]

_COLUMNS = 4
_SCORED = 40  # snapshots of a run at most
_LARGEST_EPOCH = 2**53  # of a file that is damaged: no axis shows it
_SHOWN = ("ari", "nmi")


def read_history(folder: Path) -> pd.DataFrame | None:
    """Return a run's history by epoch, or None when there is none that can be read."""
    try:
        table = pd.read_csv(folder / "history.csv")
    except (OSError, ValueError):
        return None
    if "epoch" not in table.columns or not len(table):
        return None
    epochs = pd.to_numeric(table["epoch"], errors="coerce")
    if not (epochs.abs() < _LARGEST_EPOCH).all():  # NaN among them
        return None
    for name in table.columns:
        if not pd.api.types.is_numeric_dtype(table[name]):  # rarely so, and slow where there are thousands of runs
            table[name] = pd.to_numeric(table[name], errors="coerce")
    blank = [name for name in table.columns if name != "epoch" and table[name].isna().all()]
    return table.drop(columns=blank).set_index("epoch")


def score_snapshots(folder: Path, truth: Truth) -> pd.DataFrame | None:
    """Return ARI and NMI of at most 40 evenly spread snapshots by epoch; None when none are stored, or do not fit."""
    stored = stored_snapshots(folder / "snapshots.npz", len(truth.codes))
    if stored is None or not len(stored[0]):
        return None
    epochs, labels = stored
    chosen = np.unique(np.linspace(0, len(epochs) - 1, min(_SCORED, len(epochs))).round().astype(int))
    rows = [score(truth.codes, labels[one]) for one in chosen]
    return pd.DataFrame([{name: row[name] for name in _SHOWN} for row in rows], index=epochs[chosen])


def learning_curves(
    histories: Mapping[int, pd.DataFrame], scores: Mapping[int, pd.DataFrame], title: str
) -> Figure | None:
    """Return one panel per logged value and one per score, a line per seed; None when there is nothing to show.

    Args:
        histories: by seed, see :func:`read_history`.
        scores: by seed, see :func:`score_snapshots`.
        title: heading.
    """
    names = list(dict.fromkeys(name for table in histories.values() for name in table.columns))
    scored = [name for name in _SHOWN if any(name in table for table in scores.values())]
    n_panels = len(names) + len(scored)
    if not n_panels:
        return None
    columns = min(_COLUMNS, n_panels)
    rows = -(-n_panels // columns)
    figure = new_figure(2.9 * columns + 0.3, 1.9 * rows + 0.6)
    grid = figure.subplots(rows, columns, squeeze=False)
    panels = list(grid.flat)
    for axes, name in zip(panels, names, strict=False):
        _lines(axes, name, [table[name].dropna() for table in histories.values() if name in table], OKABE_ITO[0])
    for axes, name in zip(panels[len(names) :], scored, strict=False):
        heading = f"{name.upper()} of snapshots (by true labels)"
        _lines(axes, heading, [table[name] for table in scores.values() if name in table], OKABE_ITO[5])
    for axes in panels[n_panels:]:
        axes.set_visible(False)
    figure.supxlabel(f"epoch; a line per seed ({', '.join(map(str, sorted({*histories, *scores})))})", fontsize=8)
    figure.suptitle(title, x=0.01, ha="left", fontsize=10)
    return figure


def _lines(axes: Axes, name: str, series: Sequence[pd.Series], colour: str) -> None:
    """Draw the lines of one value; one over many orders of magnitude gets a logarithmic axis."""
    for one in series:
        axes.plot(one.index, one.to_numpy(), color=colour, lw=0.9, alpha=0.55, marker="." if len(one) < 3 else None)
    values = np.concatenate([one.to_numpy() for one in series])
    if len(values) and values.min() > 0 and values.max() > 100 * values.min():
        axes.set_yscale("log")
    axes.set_title(figure_text(name), fontsize=8, loc="left")
    axes.tick_params(labelsize=7)
    axes.grid(color="#e4e4e4", linewidth=0.6)
