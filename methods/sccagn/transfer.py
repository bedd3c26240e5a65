"""Batch transfer: learn on one batch, place the cells of another with frozen weights."""

from __future__ import annotations

from dataclasses import dataclass

from scbench_methods.sccagn.config import ScCagnConfig
from scbench_methods.sccagn.method import ScCagn

from scbench.method import Clustering, Counts, RunContext

__all__ = ["Transfer", "transfer"]


@dataclass(frozen=True)
class Transfer:
    """Clusters of two batches by one network.

    Attributes:
        learnt: of the cells that it learnt from.
        placed: of the others; cluster i is the same in both.
    """

    learnt: Clustering
    placed: Clustering


def transfer(
    source: Counts, target: Counts, n_clusters: int, run: RunContext, config: ScCagnConfig | None = None
) -> Transfer:
    """Return the clusters of both batches after learning on ``source`` alone; labels of neither are needed.

    Args:
        source: (n_cells, n_genes) counts to learn from.
        target: counts of the other cells; genes are matched by name where both have names, else by position.
        n_clusters: of the source.
        run: randomness and device. It follows that two directions need two of them.
        config: of the method; None for the default.

    Raises:
        ValueError, DataError, Diverged: as ``ScCagn.fit`` and ``Fitted.predict``.

    Source: scCAGN's study of batches. The paper does not say how the second half is prepared or joined; the
    decisions are those of ``Fitted.predict``.
    """
    fitted = ScCagn(config).fit(source, n_clusters, run)
    return Transfer(fitted.clustering, fitted.predict(target))
