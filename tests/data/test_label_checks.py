from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from scbench.data.label_checks import check_types, copies_of_labels
from scbench.data.spike_ins import is_spike_in
from scbench.errors import DataError

RNG = np.random.default_rng(0)
TYPES = np.repeat(["a", "b", "c"], 20)


def test_names_of_cells_are_no_types() -> None:
    with pytest.raises(DataError, match=r"dataset d: each of its 3 cells has a label of its own \(the first: 'x'\)"):
        check_types(np.array(["x", "y", "z"]), "d")
    assert check_types(np.array(["x", "y"]), "d") == []  # two cells of two types can be meant
    assert check_types(np.array(["x", "x", "x"]), "d") == []


def test_single_cells_and_case_are_warned_of() -> None:
    (line,) = check_types(np.array(["a", "a", "b", "c"]), "d")
    assert line.startswith("dataset d: 2 of 3 types have one cell only")
    (line,) = check_types(np.array(["NK", "nk", "NK", "nk", "B", "B"]), "d")
    assert "2 types differ only in case ('NK' and 'nk')" in line


def test_a_gene_that_follows_the_types_is_found_and_no_other() -> None:
    codes = np.unique(TYPES, return_inverse=True)[1].astype(np.float32)
    noise = RNG.poisson(2, (60, 5)).astype(np.float32)
    almost = codes.copy()
    almost[7] = 2
    two_alike = np.where(codes == 2, 1, codes)
    matrix = csr_matrix(np.column_stack([noise, codes, codes * 3 + 1, almost, two_alike, np.ones(60)]))
    order = RNG.permutation(60)
    assert copies_of_labels(csr_matrix(matrix[order]), TYPES[order]).tolist() == [5, 6]


def test_few_cells_or_one_type_prove_nothing() -> None:
    codes = np.unique(TYPES, return_inverse=True)[1].astype(np.float32)[:, None]
    assert len(copies_of_labels(csr_matrix(codes[::4]), TYPES[::4])) == 0
    assert len(copies_of_labels(csr_matrix(codes), np.repeat("a", 60))) == 0


@pytest.mark.parametrize(
    ("gene", "expected"),
    [
        *[
            (name, True)
            for name in ("ERCC-00002", "ERCC.00171", "ERCC_00004", "gSpikein_ERCC-00002", "ERCC-00002-1", "ERCC00002")
        ],
        *[(name, False) for name in ("ercc-1", "ERCC1", "ERCC6L2", "ercc-00002", "Ercc2", "ERCC-2", "ERCC-000022")],
    ],
)
def test_spike_ins_are_told_with_their_case(gene: str, expected: bool) -> None:
    assert is_spike_in(np.array([gene], dtype=object), 1).tolist() == [expected]
    assert is_spike_in(None, 2).tolist() == [False, False]
