"""The page of a study: what parameters are called and may be is text in its drawings, too."""

from __future__ import annotations

import io

import pytest

pytest.importorskip("matplotlib")
from matplotlib.figure import Figure

from scbench.tune.page import _without_formulas


def drawn(*, choices: list[str]) -> str:
    figure = Figure()
    axes = figure.add_subplot(title="$a$ <b>")
    axes.plot([1, 1000], [0, 1])
    axes.set_xscale("log")
    axes.set_yticks([0, 1], choices)
    _without_formulas(figure)
    page = io.StringIO()
    figure.savefig(page, format="svg")
    return page.getvalue()


def test_dollar_signs_are_text_and_powers_of_ten_are_not() -> None:
    page = drawn(choices=["$\\frac$", "$b$"])
    for shown in ("$a$ &lt;b&gt;", "$\\frac$", "$b$", "$\\mathdefault{10^{2}}$"):
        assert f"<!-- {shown} -->" in page
    assert page.count("<use") > 30  # the power is drawn without the word mathdefault
    assert drawn(choices=["c", "d"]).count("<use") < page.count("<use")
