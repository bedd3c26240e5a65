"""Points of an embedding that exists already, such as scVI's or Harmony's, and who can cluster them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from scbench.errors import ConfigError, DataError
from scbench.method import MethodConfig
from scbench.names import unknown
from scbench.own_cells.matrix_of import is_anndata
from scbench.plugins import discover

__all__ = ["check_clusters_embeddings", "embedding_of", "refuse_batches"]

_OF_COUNTS = ("n_components", "n_top_genes")  # parameters of steps that an embedding has behind it


def check_clusters_embeddings(config: MethodConfig, given: Collection[str]) -> None:
    """Refuse a method that cannot cluster an embedding, and parameters that it would not use.

    Raises:
        ConfigError: with the methods that can.
    """
    if not config.CLUSTERS_EMBEDDINGS:
        able = [name for name, plugin in discover().items() if plugin.config_class().CLUSTERS_EMBEDDINGS]
        raise ConfigError(
            f"method {config.name} fits counts and cannot cluster an embedding (use_rep); these can: {', '.join(able)}"
        )
    for name in _OF_COUNTS:
        if name in given:
            raise ConfigError(f"{name} is a parameter of steps before the embedding, so use_rep would not use it")


def embedding_of(data: object, use_rep: str | np.ndarray) -> np.ndarray:
    """Return the points of an embedding, (n_cells, d) float32, in memory of their own.

    Args:
        data: what the cells are of; it is not changed.
        use_rep: name in ``obsm`` of an AnnData, or the points themselves.

    Raises:
        ConfigError: no AnnData, or no such name in ``obsm``.
        DataError: not a matrix of finite numbers with a row for each cell.
    """
    if isinstance(use_rep, str):
        if not is_anndata(data):
            raise ConfigError(f"use_rep={use_rep!r} needs an AnnData, got {type(data).__name__}; or give the points")
        if use_rep not in data.obsm:
            there = "" if len(data.obsm) else " obsm is empty."
            raise ConfigError(unknown("use_rep in obsm", use_rep, list(data.obsm)) + there)
        found: Any = data.obsm[use_rep]  # Any: an array, a sparse matrix or a table
        where = f'obsm["{use_rep}"]'
    else:
        found, where = use_rep, "use_rep"
    points = np.array(found.toarray() if hasattr(found, "toarray") else found)
    if points.ndim != 2 or points.dtype.kind not in "biuf" or 0 in points.shape:
        raise DataError(f"{where} is no matrix of numbers, but {points.dtype} of shape {points.shape}")
    n_cells = data.shape[0]  # type: ignore[attr-defined]  # of AnnData, DataFrame and every matrix
    if len(points) != n_cells:
        raise DataError(f"{where} has {len(points)} rows for {n_cells} cells; give a row for each, in their order")
    if not np.isfinite(points).all():
        raise DataError(f"{where} has {(~np.isfinite(points)).sum()} values that are not finite numbers")
    return points.astype(np.float32)


def refuse_batches(batch_key: str) -> None:
    """Say what to do about batches, which no method here corrects.

    Raises:
        ConfigError: always.
    """
    raise ConfigError(
        f"batch_key={batch_key!r}: no method here corrects for batches; integrate them first (scvi-tools, or "
        f'sc.external.pp.harmony_integrate(adata, "{batch_key}")), then cluster that embedding with '
        'use_rep="X_scVI" or use_rep="X_pca_harmony" and method="leiden", "louvain" or "pca_kmeans"'
    )
