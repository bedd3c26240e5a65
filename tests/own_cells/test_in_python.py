from __future__ import annotations

import pytest

from scbench.errors import DataError
from scbench.own_cells.in_python import in_python, speaking_python


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("give raw counts (dataset.values=counts) or", 'give raw counts (values="counts") or'),
        ("dataset.matrix=spliced names it", 'layer="spliced" names it'),
        ("leave out method.match_k, or method.resolution=2.5.", "leave out match_k, or resolution=2.5."),
        ("method.match_k=true searches", "match_k=True searches"),
        ("pass dataset.label=<another column>", "pass label=<another column>".replace("label=", "label=")),
        ("method.lr=1e-3 is", "lr=1e-3 is"),
        ("method scsamac of dataset goolam.h5", "method scsamac of dataset goolam.h5"),
        ("dataset.label=... names it", "label=... names it"),
    ],
)
def test_keys_become_arguments_and_all_else_stays(said: str, expected: str) -> None:
    assert in_python(said) == expected


def test_the_kind_of_an_error_stays_and_other_errors_pass() -> None:
    with pytest.raises(DataError, match='^give values="counts"$'), speaking_python():
        raise DataError("give dataset.values=counts")
    with pytest.raises(KeyError, match="dataset.values"), speaking_python():
        raise KeyError("dataset.values")
