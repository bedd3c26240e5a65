from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from scbench.data.config import DatasetConfig
from scbench.data.labelled import LabelledCounts
from scbench.data.validate import check_content, mismatches
from scbench.errors import DataError

MATRIX = np.array([[1, 0, 2], [0, 3, 0], [4, 0, 0]], dtype=np.float32)
LABELS = np.array(["b", "a", "b"], dtype=object)


def content(matrix: np.ndarray = MATRIX, labels: np.ndarray | None = LABELS, **names: Any) -> LabelledCounts:
    return LabelledCounts(csr_matrix(matrix), labels, **names)


def config(**settings: Any) -> DatasetConfig:
    return DatasetConfig(name="d", **settings)


def test_good_counts_pass_unchanged() -> None:
    checked = check_content(content(), config())
    assert checked.is_counts
    assert checked.matrix.dtype == np.float32
    np.testing.assert_array_equal(checked.matrix.toarray(), MATRIX)
    assert checked.labels is not None
    assert checked.labels.tolist() == ["b", "a", "b"]
    assert checked.warnings == ()


def test_the_matrix_becomes_canonical_and_the_input_stays() -> None:
    raw = csr_matrix((np.array([1, 2, 0], dtype=np.float32), ([0, 0, 1], [1, 1, 0])), shape=(2, 2))
    raw = csr_matrix((np.array([1.0, 2.0, 0.0]), np.array([1, 1, 0]), np.array([0, 2, 3])), shape=(2, 2))
    checked = check_content(LabelledCounts(raw, None), config())
    assert checked.matrix.nnz == 1
    assert checked.matrix[0, 1] == 3
    assert raw.nnz == 3


def changed(cell: int, gene: int, value: float) -> np.ndarray:
    matrix = MATRIX.copy()
    matrix[cell, gene] = value
    return matrix


@pytest.mark.parametrize(
    ("bad", "settings", "message"),
    [
        (content(changed(1, 2, np.nan)), {}, "1 values are not a finite number .first: nan at cell 1, gene 2"),
        (content(changed(1, 2, np.inf)), {}, "not a finite number"),
        (content(changed(2, 0, -1)), {}, "1 values are negative .first: -1 at cell 2, gene 0.*dataset.values=log_norm"),
        (content(changed(2, 0, -1)), {"values": "log_normalised"}, "negative"),
        (
            content(changed(0, 0, 0.37)),
            {},
            "25.0% of the stored values are not whole.*0.37 at cell 0, gene 0.*=log_norm",
        ),
        (content(np.zeros((3, 3))), {}, "all 3 x 3 values are zero"),
        (content(np.zeros((0, 3)), None), {}, "has 0 cells and 3 genes; there is nothing to cluster"),
        (content(np.zeros((3, 0)), None), {}, "has 3 cells and 0 genes"),
        (content(labels=LABELS[:2]), {}, "has 3 cells but 2 labels"),
        (
            content(labels=np.array(["a", None, "b"], object)),
            {},
            "1 of 3 cells have no label. Pass dataset.unlabelled=drop",
        ),
        (content(labels=np.array([None] * 3, object)), {"unlabelled": "drop"}, "no cell has a label"),
    ],
)
def test_bad_content_is_refused_in_one_line(bad: LabelledCounts, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        check_content(bad, config(**settings))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("rounding", "expected"), [("round", 0.0), ("ceil", 1.0)])
def test_rounding_is_what_was_asked_for(rounding: str, expected: float) -> None:
    checked = check_content(content(changed(0, 0, 0.2)), config(rounding=rounding))
    assert checked.matrix[0, 0] == expected
    assert checked.is_counts


def test_linear_values_are_logged_and_log_values_kept() -> None:
    linear = check_content(content(), config(values="linear"))
    np.testing.assert_allclose(linear.matrix.toarray(), np.log1p(MATRIX), rtol=1e-6)
    logged = check_content(content(changed(0, 0, 0.2)), config(values="log_normalised"))
    assert logged.matrix[0, 0] == np.float32(0.2)
    assert not linear.is_counts
    assert not logged.is_counts


def test_unlabelled_cells_can_be_left_out() -> None:
    labels = np.array(["a", None, "b"], dtype=object)
    checked = check_content(content(labels=labels), config(unlabelled="drop"))
    np.testing.assert_array_equal(checked.matrix.toarray(), MATRIX[[0, 2]])
    assert checked.labels is not None
    assert checked.labels.tolist() == ["a", "b"]
    assert checked.warnings == ("dataset d: 1 cells without a label were left out",)


def test_what_the_reader_remarked_is_told_with_the_refusal_and_only_where_it_matters() -> None:
    remark = "X holds non-integer values: dataset.matrix=raw reads counts"
    logged = content(changed(0, 0, 0.2), warnings=(remark, "2 columns were left out"))
    with pytest.raises(DataError, match=r"are not whole numbers.*dataset.matrix=raw reads counts"):
        check_content(logged, config())
    assert check_content(logged, config(values="log_normalised")).warnings == ("2 columns were left out",)


def test_numbers_other_than_expected_are_named() -> None:
    checked = check_content(content(), config())
    assert mismatches(checked, config(cells=3, genes=4, types=5)) == [
        "dataset d: expected 4 genes, found 3",
        "dataset d: expected 5 types, found 2",
    ]
