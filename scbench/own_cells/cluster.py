"""Cluster one's own cells with any method: ``scbench.cluster(adata, method="leiden")``.

The same code runs as in the benchmark, the permutation of the rows included, so the labels of a seed are those of
``python -m scbench`` for the same counts, parameters and number of threads.
"""

from __future__ import annotations

import dataclasses
import re
import warnings
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal

from scipy.sparse import csr_matrix

from scbench.data.stored_order import stored_order
from scbench.errors import ConfigError
from scbench.graph.estimate_k import estimate_n_clusters
from scbench.method import Clustering, Counts, MethodConfig, RunContext, check_n_clusters
from scbench.names import unknown
from scbench.own_cells.checked_counts import checked_counts
from scbench.own_cells.matrix_of import is_anndata
from scbench.own_cells.write_clusters import check_takes_clusters, write_clusters
from scbench.plugins import Plugin, find
from scbench.renames import current_values
from scbench.result_check import check_clustering
from scbench.run.seeding import put_back, row_order, seeded

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from anndata import AnnData
    from scipy.sparse import sparray, spmatrix

__all__ = ["cluster"]


def cluster(
    data: AnnData | pd.DataFrame | np.ndarray | spmatrix | sparray,
    method: str = "leiden",
    n_clusters: int | Literal["estimate"] = "estimate",
    *,
    layer: str | None = None,
    values: Literal["counts", "log_normalised", "linear"] = "counts",
    seed: int = 0,
    device: str = "cpu",
    key_added: str | None = None,
    **params: Any,
) -> Clustering:
    """Cluster cells and return the result; for an AnnData, also write it there.

    Args:
        data: AnnData (backed by a file, too), DataFrame, or dense or sparse (n_cells, n_genes) matrix. Neither the
            counts nor anything else that is there changes, and nothing at all when an error is raised.
        method: name of a method, as on the command line.
        n_clusters: how many, or ``"estimate"``: the number that ``scbench.estimate_k`` returns.
        layer: layer of the AnnData that holds the counts; None takes ``X``.
        values: what the matrix holds; ``linear`` (RPKM, TPM and the like) is taken as ln(1 + x).
        seed: >= 0; the same seed gives the same result.
        device: ``"cpu"`` or a CUDA device such as ``"cuda:0"``.
        key_added: where to write in an AnnData; None takes the method's name. ``obs[key]`` gets the clusters as
            categories, ``obsm["X_" + key]`` the embedding, ``uns[key]`` method, parameters, seed, K, and in ``info``
            what the method decided on the way (of Leiden and Louvain the ``resolution``, given or searched). A view
            becomes an AnnData of its own by this.
        params: parameters of the method.

    Returns:
        The clustering, in the order of the cells.

    Raises:
        ConfigError: unknown method, parameter, layer or device, or an ``n_clusters`` that is no number.
        DataError: no table of numbers, or not what ``values`` says (negative, NaN, not whole numbers, all zero); or
            a view of a backed AnnData, which cannot be written to.
        ValueError: ``n_clusters`` is below 1 or above the number of cells, or ``seed`` below 0.

    Warns:
        UserWarning: cells without a count, identical cells, spike-ins, features that are no genes (left out).
        FutureWarning: a parameter is given by an earlier name.
    """
    plugin = find(method)
    renamed: list[str] = []
    params = current_values(plugin.config_class(), params, prefix="", tell=renamed.append)
    for line in renamed:
        warnings.warn(line, FutureWarning, stacklevel=2)
    config = _configure(plugin, params)
    run = _context(seed, device)
    _check_is_number(n_clusters)
    check_takes_clusters(data)
    counts, lines = checked_counts(data, layer, values)
    for line in lines:
        warnings.warn(line, stacklevel=2)
    k = estimate_n_clusters(counts) if n_clusters == "estimate" else int(n_clusters)
    check_n_clusters(k, counts.matrix.shape[0])
    clustering = _fit(plugin, config, counts, k, run)
    if is_anndata(data):
        about = {"method": method, "params": params, "seed": seed, "n_clusters": k, "info": clustering.info}
        write_clusters(data, key_added or method, clustering, about)
    return clustering


def _configure(plugin: Plugin, params: dict[str, Any]) -> MethodConfig:
    """Return the method's configuration with the given parameters."""
    config_class = plugin.config_class()
    known = [field.name for field in dataclasses.fields(config_class) if field.name != "name"]
    for name in params:
        if name not in known:
            raise ConfigError(unknown(f"parameter of method {plugin.name}", name, known))
    config = config_class(name=plugin.name, **params)
    config.check_given([name for name, value in params.items() if value is not None])
    return config


def _context(seed: int, device: str) -> RunContext:
    """Return what the method is given besides the counts."""
    if re.fullmatch(r"cpu|cuda(:\d+)?", device) is None:
        raise ConfigError(f'device must be "cpu" or a CUDA device such as "cuda:0", got {device!r}')
    return RunContext(seed, device)


def _check_is_number(n_clusters: object) -> None:
    """Refuse what is neither a whole number nor ``"estimate"``; its size is checked with the cells at hand."""
    is_number = isinstance(n_clusters, Integral) and not isinstance(n_clusters, bool)
    if not is_number and not (isinstance(n_clusters, str) and n_clusters == "estimate"):
        raise ConfigError(f'n_clusters must be a whole number or "estimate", got {n_clusters!r}')


def _fit(plugin: Plugin, config: MethodConfig, counts: Counts, n_clusters: int, run: RunContext) -> Clustering:
    """Return the checked clustering in the order of ``counts``, fitted in that of the benchmark."""
    n_cells = counts.matrix.shape[0]
    order = stored_order(counts.matrix, is_counts=counts.is_counts)[row_order(n_cells, run.seed)]
    permuted_counts = dataclasses.replace(counts, matrix=csr_matrix(counts.matrix[order]))
    fitted = plugin.create(config)
    with seeded(run.seed, uses_torch=config.USES_TORCH):
        permuted = check_clustering(fitted.fit_predict(permuted_counts, n_clusters, run), n_cells)
    return dataclasses.replace(
        permuted,
        labels=put_back(permuted.labels, order),
        embedding=None if permuted.embedding is None else put_back(permuted.embedding, order),
        soft=None if permuted.soft is None else put_back(permuted.soft, order),
    )
