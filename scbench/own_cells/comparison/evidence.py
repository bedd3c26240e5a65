"""What can be said of several methods without labels: cost, agreement of seeds and of methods, and fit to the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from scbench.graph.stable_k.jaccard import best_jaccard
from scbench.metrics.cluster_stability import cluster_stability
from scbench.metrics.consensus import Consensus, consensus, spread
from scbench.metrics.external import Agreement, ari
from scbench.metrics.fixed_space import FixedSpace
from scbench.metrics.registry import HEADLINE, LABEL_FREE, METRICS
from scbench.own_cells.comparison.runs import MethodRuns
from scbench.tables.measures import MEASURES

__all__ = ["agreement_of", "clusters_of", "method_consensus", "numbered_alike", "table_of"]

_FOUND_AGAIN = 0.5  # Jaccard: more of the union is shared than not


def method_consensus(runs: MethodRuns) -> Consensus:
    """Return the consensus of a method's seeds; of a single seed its labels, with agreement 1."""
    partitions = [runs.labels[seed] for seed in sorted(runs.labels)]
    if len(partitions) > 1:
        return consensus(partitions)
    by_size = np.argsort(-np.bincount(partitions[0]), kind="stable")
    by_size = by_size[np.bincount(partitions[0])[by_size] > 0]
    number = np.zeros(int(partitions[0].max()) + 1, dtype=np.int64)
    number[by_size] = np.arange(len(by_size))
    return Consensus(number[partitions[0]], np.ones(len(partitions[0])), 1.0, 0, 0.0)


def numbered_alike(labels: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return the labels with the number of the cluster of ``reference`` that each cluster shares most cells with.

    One to one, so that the most cells in all have the number that they have there; clusters without a partner get the
    next free numbers, the largest first.

    Args:
        labels: (n_cells,) int64, 0 to the last without a gap.
        reference: the same.
    """
    from scipy.optimize import linear_sum_assignment

    shared = np.zeros((int(labels.max()) + 1, int(reference.max()) + 1), dtype=np.int64)
    np.add.at(shared, (labels, reference), 1)
    mine, theirs = linear_sum_assignment(shared, maximize=True)
    is_pair = shared[mine, theirs] > 0
    number = np.full(len(shared), -1)
    number[mine[is_pair]] = theirs[is_pair]
    alone = np.flatnonzero(number < 0)
    alone = alone[np.argsort(-np.bincount(labels, minlength=len(shared))[alone], kind="stable")]
    number[alone] = shared.shape[1] + np.arange(len(alone))
    found: np.ndarray = number[labels]
    return found


def table_of(runs: Sequence[MethodRuns], agreed: Mapping[str, Consensus], space: FixedSpace) -> pd.DataFrame:
    """Return one row per method.

    Columns: ``n_clusters`` (found; mean over seeds), ``seconds`` and ``memory_mib`` (mean; largest),
    ``seed_ari_mean`` and ``seed_ari_sd`` (ARI over all pairs of seeds; NaN with one), ``modularity`` and
    ``silhouette_pca`` (mean over seeds, in the space that no method owns), ``cluster_stability_mean`` and ``_least``
    (Jaccard of each consensus cluster over the seeds, weighted by nothing), ``n_seeds``, ``n_failed``; with labels also
    the metrics, in [-1, 1].
    """
    return pd.DataFrame([_row(one, agreed[one.name], space) for one in runs]).set_index("method")


def _row(runs: MethodRuns, agreed: Consensus, space: FixedSpace) -> dict[str, Any]:
    """Return the numbers of one method."""
    cell, partitions = runs.row.cell, list(runs.labels.values())
    spread_of = spread(partitions) if len(partitions) > 1 else None
    jaccard = cluster_stability(agreed.labels, partitions) if len(partitions) > 1 else np.array([np.nan])
    row: dict[str, Any] = {
        "method": runs.name,
        "n_clusters": float(np.mean([len(np.unique(labels)) for labels in partitions])),
        "seconds": cell.mean(MEASURES["seconds"]).mean,
        "memory_mib": cell.peak_rss_bytes / 2**20,
        "seed_ari_mean": np.nan if spread_of is None else spread_of.mean_ari,
        "seed_ari_sd": np.nan if spread_of is None or len(partitions) < 3 else spread_of.sd_ari,
    }
    row |= {name: float(np.mean([METRICS[name].of(labels, space) for labels in partitions])) for name in LABEL_FREE}
    row |= {"cluster_stability_mean": float(jaccard.mean()), "cluster_stability_least": float(jaccard.min())}
    row |= {"n_seeds": len(partitions), "n_failed": len(cell.failures)}
    if any(record["n_types"] for record in cell.ok):
        row |= {name: cell.mean(MEASURES[name]).mean for name in HEADLINE}
    return row


def agreement_of(agreed: Mapping[str, Consensus]) -> pd.DataFrame:
    """Return the ARI of the methods' consensus labels, methods by methods, in an order that puts like beside like.

    The order is that of the leaves of average linkage on 1 - ARI.
    """
    names = list(agreed)
    values = np.ones((len(names), len(names)))
    for i, one in enumerate(names):
        for j, other in enumerate(names[:i]):
            values[i, j] = values[j, i] = ari(Agreement(agreed[one].labels, agreed[other].labels))
    if len(names) > 2:
        from scipy.cluster.hierarchy import leaves_list, linkage
        from scipy.spatial.distance import squareform

        distances = squareform(np.maximum(1 - values, 0), checks=False)
        order = leaves_list(linkage(distances, "average", optimal_ordering=True))
        names, values = [names[i] for i in order], values[np.ix_(order, order)]
    return pd.DataFrame(values, index=names, columns=names)


def clusters_of(joint: Consensus, agreed: Mapping[str, Consensus]) -> pd.DataFrame:
    """Return one row per cluster of the consensus of all methods.

    Columns: ``n_cells``, ``agreement`` (mean over its cells), ``found_by`` (methods that have a cluster with a Jaccard
    index above 0.5 with it), and the best Jaccard index by method.
    """
    found = {name: best_jaccard(joint.labels, one.labels, int(joint.labels.max()) + 1) for name, one in agreed.items()}
    sizes = np.bincount(joint.labels)
    table = pd.DataFrame({"n_cells": sizes}, index=pd.Index(np.arange(len(sizes)), name="cluster"))
    table["agreement"] = np.bincount(joint.labels, weights=joint.agreement) / sizes
    table["found_by"] = np.sum([values > _FOUND_AGAIN for values in found.values()], axis=0)
    return table.assign(**found)
