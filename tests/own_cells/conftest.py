"""A guard around a call that must leave an AnnData as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import anndata
import numpy as np
import pandas as pd
import pytest


@contextmanager
def _stays(adata: anndata.AnnData) -> Iterator[None]:
    """Compare everything in an AnnData before and after the block."""
    before = adata.copy()
    yield
    pd.testing.assert_frame_equal(adata.obs, before.obs)
    pd.testing.assert_frame_equal(adata.var, before.var)
    for name in ("layers", "obsm", "varm", "obsp", "varp"):
        assert set(getattr(adata, name)) == set(getattr(before, name))
    for found, expected in [(adata.X, before.X), *((adata.layers[k], before.layers[k]) for k in before.layers)]:
        assert (found.dtype, type(found), abs(found - expected).max()) == (expected.dtype, type(expected), 0)
    for key in before.obsm:
        np.testing.assert_array_equal(adata.obsm[key], before.obsm[key])
    assert dict(adata.uns) == dict(before.uns)


@pytest.fixture
def stays() -> Callable[[anndata.AnnData], AbstractContextManager[None]]:
    """Give the guard to a test."""
    return _stays
