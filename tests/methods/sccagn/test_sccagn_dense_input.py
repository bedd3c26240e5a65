from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from scbench_methods.sccagn import dense_input as module
from scbench_methods.sccagn.config import ScCagnConfig
from scbench_methods.sccagn.dense_input import dense_input, on_device, sparse_steps
from scbench_methods.sccagn.inputs import recipe_of
from scipy.sparse import csr_matrix

from scbench.method import Counts
from scbench.preprocessing.prepare import prepare
from scbench.testing import toy_counts


@pytest.mark.parametrize("transform", ["minmax_l2", "ceil_minmax_l2", "zscore_quantile_l2", "zscore"])
def test_it_is_what_prepare_makes_to_the_last_bit(transform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_GENES_AT_ONCE", 7)
    monkeypatch.setattr(module, "_CELLS_AT_ONCE", 11)
    dense = toy_counts(60, 90).matrix.toarray()
    dense[[0, 13, 59]] = 0
    dense[1:, 4] += 1  # in all cells that have counts
    counts = Counts(csr_matrix(dense))
    recipe = recipe_of(ScCagnConfig(input_transform=transform, n_top_genes=50), 57)
    whole, sparse = prepare(counts, recipe), prepare(counts, sparse_steps(recipe))
    found = dense_input(csr_matrix(sparse.x), sparse.nonempty, recipe)
    np.testing.assert_array_equal(sparse.nonempty, whole.nonempty)
    np.testing.assert_array_equal(found, whole.x)
    assert found.dtype == np.float32
    assert found.flags.c_contiguous


def test_all_rows_share_their_memory_and_some_do_not() -> None:
    x = np.arange(12, dtype=np.float32).reshape(4, 3)
    x.flags.writeable = False  # as a mapped file is
    rows = np.array([True, True, False, True])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        whole, some = (on_device(x, chosen, torch.device("cpu")) for chosen in (np.ones(4, dtype=bool), rows))
    assert whole.data_ptr() == x.ctypes.data
    np.testing.assert_array_equal(some, x[rows])
