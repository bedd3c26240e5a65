"""Texts of figures, and whether they can be read."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import BboxBase


def texts(figure: Figure) -> list[Text]:
    """Return the texts that a figure draws, laid out."""
    drawn: dict[int, Text] = {}
    draw = Text.draw

    def noted(self: Text, renderer: RendererBase) -> None:
        drawn[id(self)] = self
        draw(self, renderer)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Text, "draw", noted)
        figure.canvas.draw()
    return [one for one in drawn.values() if one.get_visible() and one.get_text().strip()]


def cover(left: Text, right: Text, boxes: dict[Text, BboxBase]) -> bool:
    """Return whether two texts cover one another; slanted ones of one row lie on parallel lines."""
    if left.get_rotation() == right.get_rotation() == 45:
        (x0, y0), (x1, y1) = (one.get_transform().transform(one.get_position()) for one in (left, right))
        apart = abs((x1 - x0) - (y1 - y0)) / np.sqrt(2)
        return apart < 0.8 * left.get_fontsize() * left.figure.dpi / 72
    return bool(boxes[left].overlaps(boxes[right]))


def assert_readable(figure: Figure) -> None:
    """Check that no two labels cover one another and none leaves the figure."""
    found = texts(figure)
    page = figure.bbox
    for one in found:
        text, box = one.get_text(), one.get_window_extent()
        assert box.x0 >= page.x0 - 1, f"{text} leaves the figure"
        assert box.x1 <= page.x1 + 1, f"{text} leaves the figure"
        assert box.y0 >= page.y0 - 1, f"{text} leaves the figure"
        assert box.y1 <= page.y1 + 1, f"{text} leaves the figure"
    boxes = {one: one.get_window_extent().shrunk(0.9, 0.8) for one in found}
    for left, right in combinations(found, 2):
        assert not cover(left, right, boxes), f"{left.get_text()!r} covers {right.get_text()!r}"
