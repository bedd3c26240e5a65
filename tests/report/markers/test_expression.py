from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from scbench.errors import DataError
from scbench.method import Counts
from scbench.report.markers.expression import NoMarkersError, expression_of


def counts(dense: list[list[float]], genes: list[str] | None, *, is_counts: bool = True) -> Counts:
    return Counts(
        csr_matrix(dense, dtype=np.float32), None if genes is None else np.array(genes, dtype=object), is_counts
    )


def test_counts_become_logarithms_of_shares_and_unexpressed_genes_go() -> None:
    found = expression_of(counts([[1, 0, 3], [2, 0, 0]], ["a", "b", "c"]))
    assert found.genes.tolist() == ["a", "c"]
    np.testing.assert_allclose(found.values.toarray(), np.log1p([[2500, 7500], [10000, 0]]), rtol=1e-6)
    assert isinstance(found.values, csr_matrix)


def test_values_that_are_no_counts_stay_as_they_are() -> None:
    given = counts([[0.5, 1.5], [0, 2.5]], ["a", "b"], is_counts=False)
    assert expression_of(given).values.toarray().tolist() == [[0.5, 1.5], [0, 2.5]]


def test_an_empty_cell_stays() -> None:
    found = expression_of(counts([[1, 1], [0, 0], [3, 1]], ["a", "b"]))
    assert found.values.shape == (3, 2)
    assert found.values[1].nnz == 0


def test_names_that_come_again_are_told_apart() -> None:
    found = expression_of(counts([[1, 1, 1, 1]], ["a", "b", "a", "a"]))
    assert found.genes.tolist() == ["a", "b", "a-1", "a-2"]
    assert found.n_repeated == 2


@pytest.mark.parametrize(
    ("genes", "message"),
    [
        (None, "it has no gene names"),
        (["0", "1"], r"only numbers \(the first is '0'\)"),
        (["1.0", "nan"], "only numbers"),
        (["a"], "1 gene names for 2 genes"),
    ],
)
def test_why_there_are_no_markers(genes: list[str] | None, message: str) -> None:
    with pytest.raises(NoMarkersError, match=message):
        expression_of(counts([[1, 1]], genes))


def test_nan_is_refused() -> None:
    with pytest.raises(DataError, match="NaN or infinite"):
        expression_of(counts([[1, np.nan]], ["a", "b"]))
