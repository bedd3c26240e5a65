"""Write clusters into an AnnData, in a form that its file can keep."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from scbench.errors import DataError
from scbench.method import Clustering
from scbench.own_cells.matrix_of import is_anndata
from scbench.store.record_file import json_ready

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["check_takes_clusters", "storable", "write_clusters"]


def check_takes_clusters(data: object) -> None:
    """Refuse an AnnData that cannot be written to, before anything is computed.

    Raises:
        DataError: for a view of a backed AnnData.
    """
    if is_anndata(data) and data.is_view and data.isbacked:
        raise DataError("the AnnData is a part of one that is backed by a file; give a copy in memory: x.to_memory()")


def write_clusters(adata: AnnData, key: str, clustering: Clustering, about: Mapping[str, Any]) -> None:
    """Write a clustering into an AnnData.

    Args:
        adata: a view becomes an AnnData of its own, as anndata does it, and its parent stays as it is.
        key: ``obs[key]`` gets the clusters as categories, ``obsm["X_" + key]`` the embedding if there is one.
        clustering: as a method returns it, in the order of the cells.
        about: goes to ``uns[key]``, see :func:`storable`.
    """
    names = clustering.labels.astype(str)
    categories = [str(label) for label in np.unique(clustering.labels)]
    kept = storable(about)
    adata.obs[key] = pd.Categorical(names, categories=categories)
    if clustering.embedding is not None:
        adata.obsm[f"X_{key}"] = clustering.embedding
    adata.uns[key] = kept


def storable(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values that an h5ad file takes: None is left out, and what is no list of one kind becomes JSON text."""
    found: dict[str, Any] = {}
    for name, value in json_ready(values).items():
        if isinstance(value, dict):
            found[name] = storable(value)
        elif isinstance(value, list) and not _is_plain(value):
            found[name] = json.dumps(value)
        elif value is not None:
            found[name] = value
    return found


def _is_plain(values: list[Any]) -> bool:
    """Return whether all entries are texts, or all are numbers."""
    return all(isinstance(value, str) for value in values) or all(isinstance(value, int | float) for value in values)
