"""Codes of labels: the way of few labels gives what pandas gives."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from scbench.metrics import contingency
from scbench.metrics.contingency import encode


@pytest.mark.parametrize(
    "labels",
    [
        np.array([3, -1, 3, 7, -1, 0]),
        np.array([3, 1, 2], dtype=np.uint8),
        np.array([5, 2, 5], dtype=">i4"),
        np.array(["b", "a", "b", "", "nan", "None"]),
        np.random.default_rng(0).integers(30, size=500),
    ],
)
def test_few_labels_are_encoded_as_by_pandas(labels: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    codes, names = encode(labels, "labels")
    expected, uniques = pd.factorize(labels.astype(labels.dtype.newbyteorder("=")))
    np.testing.assert_array_equal(codes, expected)
    assert codes.dtype == np.int64
    assert list(names) == list(uniques)
    monkeypatch.setattr(contingency, "_ENCODE_BY_SORTING", 0)
    other_codes, other_names = encode(labels, "labels")
    np.testing.assert_array_equal(codes, other_codes)
    assert [type(name) for name in names] == [type(name) for name in other_names]


def test_masked_labels_are_not_taken_for_plain_ones() -> None:
    with pytest.raises(ValueError, match="1 missing"):
        encode(np.ma.masked_array([1, 2, 3], mask=[False, True, False]), "labels")
