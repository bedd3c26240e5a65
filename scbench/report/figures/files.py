"""Figures as SVG and PNG that are the same bytes for the same content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from scbench.report.markdown import anchor

__all__ = ["file_stem", "new_figure", "save", "style"]

_DPI = 110
_LONGEST = 150  # bytes of a name, which with what is behind it must not have more than 255
_STYLE: dict[Any, Any] = {  # Any: each key of matplotlib has a type of its own
    "svg.hashsalt": "scbench",  # ids of an SVG are random without it
    "font.family": "DejaVu Sans",  # shipped with matplotlib, so text has the same size everywhere
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "figure.dpi": _DPI,
    "savefig.dpi": _DPI,
}


@contextmanager
def style() -> Iterator[None]:
    """Draw with the settings of reports, whatever the user's own are."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


def file_stem(name: str, dataset: str) -> str:
    """Return what the files of a method on a dataset begin with; a long one is cut, and a hash tells it apart."""
    stem = anchor(name, dataset)
    if len(stem.encode()) <= _LONGEST:
        return stem
    return f"{stem.encode()[:_LONGEST].decode(errors='ignore')}-{hashlib.sha256(stem.encode()).hexdigest()[:8]}"


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of this size in inches; it belongs to no window and no global state."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write ``name.svg`` and ``name.png``, without dates and versions, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.svg", folder / f"{name}.png"]
    for path, metadata in zip(paths, ({"Date": None, "Creator": None}, {"Software": None}), strict=True):
        figure.savefig(path, metadata=metadata, facecolor="white")
    return paths
