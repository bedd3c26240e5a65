from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from scbench.data import identical_cells
from scbench.data.identical_cells import n_identical, profile_of


def slow(rows: np.ndarray) -> list[int]:
    return [next(j for j in range(len(rows)) if (rows[j] == rows[i]).all()) for i in range(len(rows))]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.integers(0, 2), min_size=3, max_size=3), min_size=1, max_size=12), st.integers(1, 5))
def test_profiles_are_those_of_comparing_all_with_all(rows: list[list[int]], block: int) -> None:
    dense = np.array(rows, dtype=np.float32)
    before, identical_cells._BLOCK = identical_cells._BLOCK, block
    try:
        found = profile_of(csr_matrix(dense))
        assert found.tolist() == slow(dense)
        groups = [members for members in (np.flatnonzero(found == i) for i in set(found)) if dense[members[0]].any()]
        twins = [members for members in groups if len(members) > 1]
        assert n_identical(csr_matrix(dense)) == (sum(map(len, twins)), len(twins))
    finally:
        identical_cells._BLOCK = before


def test_rows_whose_hashes_agree_by_chance_are_compared() -> None:
    dense = np.array([[1, 0], [0, 1], [1, 0]], dtype=np.float32)
    original = identical_cells._hashes
    identical_cells._hashes = lambda matrix: np.zeros(matrix.shape[0], dtype=np.uint64)
    try:
        assert profile_of(csr_matrix(dense))[1] == 1
    finally:
        identical_cells._hashes = original


def test_twelve_profiles_in_ten_copies() -> None:
    rng = np.random.default_rng(0)
    profiles = rng.poisson(2, (12, 50)).astype(np.float32)
    cells = np.repeat(profiles, 10, axis=0)[rng.permutation(120)]
    assert n_identical(csr_matrix(cells)) == (120, 12)
    assert n_identical(csr_matrix(profiles)) == (0, 0)
    assert n_identical(csr_matrix(np.zeros((5, 3), dtype=np.float32))) == (0, 0)  # empty cells are another matter
