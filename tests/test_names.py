from __future__ import annotations

import pytest

from scbench.errors import ConfigError
from scbench.names import check_choice, nearest, unknown


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("shekar", "shekhar"),
        ("Shekhar", "shekhar"),
        ("leidn", "leiden"),
        ("pancreas", "mouse_pancreas_1"),
        ("zzz", None),
    ],
)
def test_nearest_finds_what_was_meant(typed: str, meant: str | None) -> None:
    assert nearest(typed, ["shekhar", "leiden", "mouse_pancreas_1", "mouse_pancreas_1_copy"]) == meant


def test_unknown_lists_few_names_and_counts_many() -> None:
    assert unknown("method", "leidn", ["leiden", "random"]) == (
        "unknown method 'leidn'. Did you mean 'leiden'? Known: leiden, random."
    )
    assert "40 are known" in unknown("dataset", "xyz", [f"d{i}" for i in range(40)])


def test_check_choice_returns_or_refuses() -> None:
    assert check_choice("protocol", "honest", ("honest", "published")) == "honest"
    with pytest.raises(ConfigError, match="unknown protocol 'honst'. Did you mean 'honest'"):
        check_choice("protocol", "honst", ("honest", "published"))
