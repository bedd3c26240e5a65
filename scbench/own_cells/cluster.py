"""Cluster one's own cells with any method: ``scbench.cluster(adata, method="leiden")``.

The same code runs as in the benchmark, the permutation of the rows included, so the labels of a seed are those of
``python -m scbench`` for the same counts, parameters and number of threads.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from scbench.config.preset import own_preset, shipped_preset
from scbench.config.preset_choice import check_params
from scbench.errors import ConfigError
from scbench.graph.estimate_k import DEFAULT_ESTIMATE, ESTIMATES
from scbench.method import Clustering, MethodConfig, check_n_clusters
from scbench.names import check_choice, unknown
from scbench.own_cells.call_checks import check_numbers, device_of
from scbench.own_cells.checked_counts import check_names, checked_counts
from scbench.own_cells.embedding_of import check_clusters_embeddings, embedding_of, refuse_batches
from scbench.own_cells.fit_seeds import CountCells, EmbeddedCells, several
from scbench.own_cells.in_python import speaking_python
from scbench.own_cells.matrix_of import is_anndata
from scbench.own_cells.opened import opened
from scbench.own_cells.time_left import PILOT_ABOVE, n_epochs_of, pilot_seconds, watched
from scbench.own_cells.write_clusters import check_takes_clusters, write_clusters
from scbench.plugins import Plugin, find
from scbench.renames import current_values
from scbench.store.non_defaults import changed_fields

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData
    from scipy.sparse import sparray, spmatrix

__all__ = ["cluster"]

_K_OF_PILOTS = 10  # clusters, where the number is estimated later


def cluster(
    data: AnnData | pd.DataFrame | np.ndarray | spmatrix | sparray | str | Path,
    method: str = "leiden",
    n_clusters: int | Literal["estimate"] = "estimate",
    *,
    layer: str | None = None,
    use_rep: str | np.ndarray | None = None,
    batch_key: str | None = None,
    values: Literal["counts", "log_normalised", "linear"] = "counts",
    seed: int = 0,
    n_seeds: int = 1,
    device: str = "cpu",
    key_added: str | None = None,
    overwrite: bool = False,
    preset: str | None = None,
    progress: bool = True,
    estimate: Literal["resolution_1", "stability"] = DEFAULT_ESTIMATE,
    **params: Any,
) -> Clustering:
    """Cluster cells and return the result; for an AnnData, also write it there.

    Args:
        data: AnnData (backed by a file, too), DataFrame (cells in rows), dense or sparse (n_cells, n_genes) matrix, or
            the path of a file that the command reads. Neither the counts nor anything else that is there changes, and
            nothing at all when an error is raised; a file is never written to.
        method: name of a method, as on the command line.
        n_clusters: how many, or ``"estimate"``: the number that ``scbench.estimate_k`` returns; with ``use_rep``, the
            number of Leiden communities at resolution 1 of that embedding.
        layer: layer of the AnnData that holds the counts. None takes the first of ``X``, ``layers["counts"]`` and
            ``raw`` that holds whole numbers, and says which.
        use_rep: an embedding to cluster instead of counts, such as ``"X_scVI"`` or ``"X_pca_harmony"``: its name in
            ``obsm``, or the (n_cells, d) points. Leiden, Louvain and pca_kmeans can.
        batch_key: no method here corrects for batches; the error says what to do instead.
        values: what the matrix holds; ``linear`` (RPKM, TPM and the like) is taken as ln(1 + x).
        seed: >= 0; the same seed gives the same result.
        n_seeds: above 1, the seeds from ``seed`` on, and their consensus (see :mod:`scbench.metrics.consensus`).
        device: ``"cpu"``, ``"auto"``, or a CUDA device such as ``"cuda:0"``.
        key_added: where to write in an AnnData; None takes the method's name. ``obs[key]`` gets the clusters as
            categories, ``obsm["X_" + key]`` the embedding, ``uns[key]`` method, parameters, seed, K, where the counts
            are from, and in ``info`` what the method decided on the way (of Leiden and Louvain the ``resolution``,
            given or searched). With ``n_seeds``, ``obs[key + "_agreement"]`` gets how often a cell is with the others
            of its cluster in the runs, in [0, 1], and ``info`` mean and sd of the ARI between seeds. A view becomes
            an AnnData of its own by this.
        overwrite: whether to replace what is at that key.
        preset: a preset of the method, or a file of one; ``params`` win over it.
        progress: say on stderr where the counts are from and how long it takes, with a bar on a terminal.
        estimate: the rule of ``n_clusters="estimate"``, see ``scbench.estimate_k``; of no account with ``use_rep``.
        params: parameters of the method.

    Returns:
        The clustering, in the order of the cells.

    Raises:
        ConfigError: unknown method, parameter, layer, embedding or device, something at the key already, or an
            ``n_clusters`` that is no number.
        DataError: no table of numbers, or not what ``values`` says (negative, NaN, not whole numbers, all zero); cells
            of the same name; or a view of a backed AnnData, which cannot be written to.
        ValueError: ``n_clusters`` is below 1 or above the number of cells, or ``seed`` below 0.

    Warns:
        UserWarning: cells without a count, identical cells, spike-ins, features that are no genes (left out); a call
            that will take more than five minutes, by its first epochs, or by fits to some of the cells for a method
            that has none.
        FutureWarning: a parameter is given by an earlier name.
    """
    with speaking_python():
        plugin = find(method)
        renamed: list[str] = []
        params = current_values(plugin.config_class(), params, prefix="", tell=renamed.append)
        for line in renamed:
            warnings.warn(line, FutureWarning, stacklevel=2)
        preset_params = {} if preset is None else _preset_values(plugin, preset)
        config = _configure(plugin, preset_params | params, params)
        check_numbers(n_clusters, seed, n_seeds)
        check_choice("estimate", estimate, ESTIMATES)
        device = device_of(device, config)
        if batch_key is not None:
            refuse_batches(batch_key)
        key = key_added or method
        written = is_anndata(data)
        if isinstance(data, str | Path):
            data = opened(Path(data))
        elif is_anndata(data):
            check_takes_clusters(data, key, overwrite=overwrite, has_agreement=n_seeds > 1)
        cells: CountCells | EmbeddedCells
        if use_rep is None:
            checked = checked_counts(data, layer, values)
            for line in checked.lines:
                warnings.warn(line, stacklevel=2)
            where = checked.where
            cells = CountCells(checked.counts, seed)
            del checked  # as large as the counts
        else:
            if layer is not None:
                raise ConfigError(f"use_rep clusters an embedding and layer={layer!r} would not be used; leave one out")
            check_clusters_embeddings(config, params)
            check_names(data)
            cells = EmbeddedCells(embedding_of(data, use_rep))
            where = use_rep if isinstance(use_rep, str) else "use_rep"
        if n_clusters != "estimate":
            check_n_clusters(int(n_clusters), cells.n_cells)
        what = f"{'counts' if values == 'counts' and use_rep is None else 'values'} from {where}, {cells.n_cells} cells"
        with watched(method, config, n_seeds, what, progress=progress) as time_left:
            if n_epochs_of(config) == 0 and cells.n_cells > PILOT_ABOVE:
                some = n_clusters if isinstance(n_clusters, int) else _K_OF_PILOTS
                time_left.expect(pilot_seconds(partial(cells.fit_some, plugin, config, some), cells.n_cells))
            k = _number(n_clusters, config, cells, estimate)

            def fit(one: int) -> Clustering:
                done = cells.fit(plugin, config, k or 1, one, device, time_left.epoch)
                time_left.run_ended()
                return done

            agreement = None
            if n_seeds == 1:
                clustering = fit(seed)
            else:
                clustering, agreement = several(fit, range(seed, seed + n_seeds))
        found = len(np.unique(clustering.labels))
        if written:
            about = {"method": method, "params": preset_params | params, "seed": seed, "n_clusters": k or found}
            about |= {"preset": preset} if preset is not None else {}
            about |= {"from": where, "info": clustering.info}
            write_clusters(data, key, clustering, about, agreement)
    return clustering


def _preset_values(plugin: Plugin, preset: str) -> dict[str, Any]:
    """Return the parameters of a preset, checked."""
    found = own_preset(preset) if preset.endswith(".yaml") else shipped_preset(plugin, preset)
    check_params(found, plugin)
    if found.tuned_with_labels:
        warnings.warn(f"preset {preset} was tuned with labels of {', '.join(found.datasets) or 'others'}", stacklevel=3)
    return dict(found.params)


def _configure(plugin: Plugin, params: Mapping[str, Any], given: Mapping[str, Any]) -> MethodConfig:
    """Return the method's configuration with these parameters, of which the user has given some."""
    config_class = plugin.config_class()
    known = [field.name for field in dataclasses.fields(config_class) if field.name != "name"]
    for name in params:
        if name.partition(".")[0] not in known:
            raise ConfigError(unknown(f"parameter of method {plugin.name}", name, known))
    plain = {name: value for name, value in params.items() if "." not in name}
    config = config_class(name=plugin.name, **plain)
    dotted = {name: value for name, value in params.items() if "." in name}  # of a preset: mask.p_other
    config = dataclasses.replace(config, **changed_fields(config, dotted)) if dotted else config
    config.check_given([name for name, value in given.items() if value is not None])
    return config


def _number(
    n_clusters: int | str, config: MethodConfig, cells: CountCells | EmbeddedCells, estimate: str
) -> int | None:
    """Return the number of clusters to look for; None where it is not given and a resolution decides."""
    if n_clusters != "estimate":
        return int(n_clusters)
    return None if getattr(config, "fixed_resolution", None) is not None else cells.estimated_k(estimate)
