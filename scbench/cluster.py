"""Cluster one's own cells with any method: ``scbench.cluster(adata, method="leiden")``.

The same code runs as in the benchmark, the permutation of the rows included, so the labels of a seed are those of
``python -m scbench`` for the same counts, parameters and number of threads.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import warnings
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from scbench.data.config import DatasetConfig
from scbench.data.identical_cells import n_identical
from scbench.data.labelled import LabelledCounts
from scbench.data.readers.feature_types import gene_features
from scbench.data.readers.labels import text_names
from scbench.data.spike_ins import is_spike_in
from scbench.data.stored_order import stored_order
from scbench.data.validate import CheckedCounts, check_content
from scbench.errors import ConfigError
from scbench.estimate_k import estimate_n_clusters
from scbench.method import Clustering, Counts, MethodConfig, RunContext, check_n_clusters
from scbench.names import unknown
from scbench.plugins import Plugin, find
from scbench.result_check import check_clustering
from scbench.run.record_file import json_ready
from scbench.run.seeding import put_back, row_order, seeded

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["cluster"]


def cluster(
    data: AnnData | csr_matrix | np.ndarray,
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
        data: AnnData, or an (n_cells, n_genes) matrix. Neither the counts nor anything else that is there changes.
        method: name of a method, as on the command line.
        n_clusters: how many, or ``"estimate"`` (see ``scbench.estimate_k``).
        layer: layer of the AnnData that holds the counts; None takes ``X``.
        values: what the matrix holds; ``linear`` (RPKM, TPM and the like) is taken as ln(1 + x).
        seed: >= 0; the same seed gives the same result.
        device: ``"cpu"`` or a CUDA device such as ``"cuda:0"``.
        key_added: where to write in an AnnData; None takes the method's name. ``obs[key]`` gets the clusters as
            categories, ``obsm["X_" + key]`` the embedding, ``uns[key]`` method, parameters, seed, K, and in ``info``
            what the method decided on the way (of Leiden and Louvain the ``resolution``, given or searched).
        params: parameters of the method.

    Returns:
        The clustering, in the order of the cells.

    Raises:
        ConfigError: unknown method, parameter or layer.
        DataError: the matrix is not what ``values`` says (negative, NaN, not whole numbers, nothing in it).
        ValueError: ``n_clusters`` is below 1 or above the number of cells.

    Warns:
        UserWarning: cells without a count, identical cells, spike-ins, features that are no genes (left out).
    """
    plugin = find(method)
    config = _configure(plugin, params)
    matrix, genes, said = _matrix_of(data, layer)
    checked = check_content(LabelledCounts(matrix, None, genes), DatasetConfig(name="data", values=values))
    n_cells = checked.matrix.shape[0]
    for line in (*said, *_remarks(checked)):
        warnings.warn(line, stacklevel=3)  # the caller of scbench.cluster, which is this module called
    k = (
        estimate_n_clusters(Counts(checked.matrix, genes, checked.is_counts))
        if n_clusters == "estimate"
        else n_clusters
    )
    check_n_clusters(k, n_cells)
    order = stored_order(checked.matrix, is_counts=checked.is_counts)[row_order(n_cells, seed)]
    counts = Counts(csr_matrix(checked.matrix[order]), checked.genes, checked.is_counts)
    fitted = plugin.create(config)
    with seeded(seed, uses_torch=config.USES_TORCH):
        permuted = fitted.fit_predict(counts, k, RunContext(seed, device))
    check_clustering(permuted, n_cells)
    clustering = dataclasses.replace(
        permuted,
        labels=put_back(permuted.labels, order),
        embedding=None if permuted.embedding is None else put_back(permuted.embedding, order),
        soft=None if permuted.soft is None else put_back(permuted.soft, order),
    )
    if hasattr(data, "obs"):
        about = {"method": method, "params": params, "seed": seed, "n_clusters": int(k), "info": clustering.info}
        _write(data, key_added or method, clustering, _storable(about))
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


def _remarks(checked: CheckedCounts) -> list[str]:
    """Return a line each on cells without a count, on identical cells and on spike-ins."""
    matrix, lines = checked.matrix, []
    n_empty = int((np.diff(matrix.indptr) == 0).sum())
    if n_empty:
        lines.append(
            f"{n_empty} of {matrix.shape[0]} cells have no count and are clustered with the others; "
            "sc.pp.filter_cells(adata, min_counts=1) takes them out"
        )
    n_twins, n_profiles = n_identical(matrix)
    if n_twins:
        lines.append(f"{n_twins} of {matrix.shape[0]} cells are identical to another ({n_profiles} profiles)")
    is_spike = is_spike_in(checked.genes, matrix.shape[1])
    if is_spike.any():
        share = matrix.data[is_spike[matrix.indices]].sum(dtype=np.float64) / matrix.data.sum(dtype=np.float64)
        lines.append(
            f"{is_spike.sum()} genes are spike-ins (ERCC) with {share:.1%} of the values; "
            'adata[:, ~adata.var_names.str.startswith("ERCC-")] leaves them out'
        )
    return lines


def _matrix_of(  # Any: told by its attributes
    data: Any, layer: str | None
) -> tuple[csr_matrix, np.ndarray | None, tuple[str, ...]]:
    """Return counts and gene names of an AnnData or a matrix, and what was left out: features that are no genes."""
    if not hasattr(data, "obs"):
        if layer is not None:
            raise ConfigError(f"layer={layer!r} needs an AnnData, got {type(data).__name__}")
        return csr_matrix(data), None, ()
    if layer is not None and layer not in data.layers:
        raise ConfigError(unknown("layer", layer, list(data.layers)))
    matrix, genes = csr_matrix(data.X if layer is None else data.layers[layer]), text_names(data.var_names)
    if "feature_types" not in data.var:
        return matrix, genes, ()
    is_gene, said = gene_features(text_names(data.var["feature_types"]), "the AnnData")
    return (csr_matrix(matrix[:, np.flatnonzero(is_gene)]), genes[is_gene], said) if said else (matrix, genes, ())


def _write(adata: AnnData, key: str, clustering: Clustering, about: dict[str, Any]) -> None:
    """Write a clustering into an AnnData."""
    names = clustering.labels.astype(str)
    categories = [str(label) for label in np.unique(clustering.labels)]
    adata.obs[key] = pd.Categorical(names, categories=categories)
    if clustering.embedding is not None:
        adata.obsm[f"X_{key}"] = clustering.embedding
    adata.uns[key] = about


def _storable(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values that an h5ad file takes: None is left out, and what is no list of one kind becomes JSON text."""
    found: dict[str, Any] = {}
    for name, value in json_ready(values).items():
        if isinstance(value, dict):
            found[name] = _storable(value)
        elif isinstance(value, list) and not _is_plain(value):
            found[name] = json.dumps(value)
        elif value is not None:
            found[name] = value
    return found


def _is_plain(values: list[Any]) -> bool:
    """Return whether all entries are texts, or all are numbers."""
    return all(isinstance(value, str) for value in values) or all(isinstance(value, int | float) for value in values)


class _CallableModule(ModuleType):
    """Makes ``scbench.cluster(...)`` work: the name is this module and its function at once."""

    def __call__(self, *args: Any, **kwargs: Any) -> Clustering:
        """Call :func:`cluster`."""
        return cluster(*args, **kwargs)


sys.modules[__name__].__class__ = _CallableModule
