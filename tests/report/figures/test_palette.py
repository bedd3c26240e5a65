from __future__ import annotations

import numpy as np
import pytest

from scbench.report.figures.palette import distances, palette


@pytest.mark.parametrize(("n", "least"), [(8, 0.07), (19, 0.06), (39, 0.035)])
def test_colours_stay_apart_for_three_kinds_of_vision(n: int, least: float) -> None:
    colours = palette(n)
    apart = distances(colours) + np.eye(n)
    assert len(set(colours)) == n
    assert apart.min() > least


def test_the_measure_sees_what_colour_blind_people_do_not() -> None:
    # Red and green of the same brightness: far apart for most, close for deuteranopes and protanopes.
    confusable = distances(("#b35900", "#5a8000"))[0, 1]
    assert confusable < 0.06
    assert distances(("#000000", "#ffffff"))[0, 1] == pytest.approx(1, abs=1e-3)
    assert np.allclose(np.diag(distances(palette(5))), 0)


def test_a_larger_palette_begins_with_the_smaller() -> None:
    assert palette(39)[:19] == palette(19)
    assert palette(0) == ()


def test_impossible_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="must not be negative, got -1"):
        palette(-1)
    with pytest.raises(ValueError, match="colours can be told apart, got 9999; group the types"):
        palette(9999)
