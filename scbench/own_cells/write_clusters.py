"""Write clusters into an AnnData, in a form that its file can keep."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from scbench.errors import ConfigError, DataError
from scbench.method import Clustering
from scbench.store.record_file import json_ready

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["check_takes_clusters", "storable", "write_clusters"]

_AGREEMENT = "_agreement"


def check_takes_clusters(adata: AnnData, key: str, *, overwrite: bool, has_agreement: bool) -> None:
    """Refuse an AnnData that cannot be written to, before anything is computed.

    Args:
        adata: where clusters are to go.
        key: as in :func:`write_clusters`.
        overwrite: whether something may be there.
        has_agreement: whether there will be a column of it.

    Raises:
        ConfigError: something is at the key.
        DataError: for a view of a backed AnnData.
    """
    if adata.is_view and adata.isbacked:
        raise DataError("the AnnData is a part of one that is backed by a file; give a copy in memory: x.to_memory()")
    if overwrite:
        return
    places = [("obs", key), ("obsm", f"X_{key}"), ("uns", key)]
    places += [("obs", f"{key}{_AGREEMENT}")] if has_agreement else []
    for place, name in places:
        if name in getattr(adata, place):
            raise ConfigError(
                f'{place}["{name}"] is there already; overwrite=True replaces it, key_added="..." takes another name'
            )


def write_clusters(
    adata: AnnData, key: str, clustering: Clustering, about: Mapping[str, Any], agreement: np.ndarray | None = None
) -> None:
    """Write a clustering into an AnnData; what an earlier one has left at the key, and this one has not, goes.

    Args:
        adata: a view becomes an AnnData of its own, as anndata does it, and its parent stays as it is.
        key: ``obs[key]`` gets the clusters as categories, ``obsm["X_" + key]`` the embedding if there is one.
        clustering: as a method returns it, in the order of the cells.
        about: goes to ``uns[key]``, see :func:`storable`.
        agreement: (n_cells,) goes to ``obs[key + "_agreement"]``.
    """
    names = clustering.labels.astype(str)
    categories = [str(label) for label in np.unique(clustering.labels)]
    before, kept = adata.uns.get(key), storable(about)
    ours = before if isinstance(before, Mapping) else {}  # nothing goes that another program has put there
    adata.obs[key] = pd.Categorical(names, categories=categories)
    if agreement is not None:
        adata.obs[f"{key}{_AGREEMENT}"] = agreement
        kept["agreement_in"] = f"{key}{_AGREEMENT}"
    elif ours.get("agreement_in") in adata.obs:
        del adata.obs[ours["agreement_in"]]
    if clustering.embedding is not None:
        adata.obsm[f"X_{key}"] = clustering.embedding
        kept["embedding_in"] = f"X_{key}"
    elif ours.get("embedding_in") in adata.obsm:
        del adata.obsm[ours["embedding_in"]]
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
