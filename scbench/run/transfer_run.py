"""One run of a batch transfer: learn on the cells of one batch, place those of another, score both."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from scbench.config.schema import RunConfig, parse_devices, parse_n_clusters
from scbench.errors import ConfigError
from scbench.method import Clustering, Counts, Diverged, RunContext, TransferMethod

__all__ = ["METRICS", "make_method", "transfer_run"]

_LOG = logging.getLogger(__name__)
METRICS = ("acc", "nmi", "ari", "ami", "completeness")


def make_method(config: RunConfig) -> TransferMethod:
    """Return a fresh method that can place cells which it was not fitted to.

    Raises:
        ConfigError: when it cannot.
    """
    from scbench.plugins import find

    method = find(config.method.name).create(config.method)
    if not isinstance(method, TransferMethod):
        raise ConfigError(
            f"method {config.method.name} cannot place cells that it was not fitted to: it has no fit() that returns "
            "something with predict(); take one that has, such as sccagn"
        )
    return method


def transfer_run(
    config: RunConfig, counts: Counts, types: np.ndarray, parts: Sequence[np.ndarray], seed: int
) -> Iterator[dict[str, Any]]:
    """Fit to one batch, place the other, and yield what is to be said of each; types are looked at afterwards.

    Args:
        config: method, number of clusters, device and threads.
        counts: of all cells.
        types: (n_cells,) annotated types; the fit sees their number in the first batch at most.
        parts: rows of the batch that is learnt from, and of the other.
        seed: of the fit, and of the order of the rows.

    Yields:
        Two lines, ``learnt`` and ``placed``. A fit that fails is two lines with its reason.
    """
    from scbench.metrics import score
    from scbench.run.seeding import row_order

    shuffled = [rows[row_order(len(rows), seed)] for rows in parts]
    source, target = (Counts(counts.matrix[rows], counts.genes, counts.is_counts) for rows in shuffled)
    n_clusters = _n_clusters(config, source, types[parts[0]])
    started = time.perf_counter()
    status, message = "ok", ""
    found: tuple[Clustering, ...] = ()
    try:
        found = _fit(config, source, target, n_clusters, seed)
    except Exception as error:  # the other seeds and directions go on; the table says what happened
        _LOG.debug("transfer failed", exc_info=True)
        status = "diverged" if isinstance(error, Diverged) else "error"
        message = " ".join(f"{type(error).__name__}: {error}".split())
    seconds = time.perf_counter() - started
    for i, part in enumerate(("learnt", "placed")):
        line = {"part": part, "status": status, "error": message, "n_cells": len(parts[i]), "k_given": n_clusters}
        if found:
            line |= {"k_found": len(np.unique(found[i].labels)), "seconds": round(seconds, 3)}
            line |= {name: score(types[shuffled[i]], found[i].labels)[name] for name in METRICS}
        yield line


def _n_clusters(config: RunConfig, source: Counts, types: np.ndarray) -> int:
    """Return the number of clusters, which the batch that is learnt from decides."""
    rule, number = parse_n_clusters(config.n_clusters)
    if number is not None:
        return number
    if rule == "estimate":
        from scbench.estimate_k import estimate_n_clusters

        return estimate_n_clusters(source)
    return len(np.unique(types))


def _fit(config: RunConfig, source: Counts, target: Counts, n_clusters: int, seed: int) -> tuple[Clustering, ...]:
    """Return the clusters of both batches in the order of their rows."""
    from threadpoolctl import threadpool_limits

    from scbench.result_check import check_clustering
    from scbench.run.seeding import seeded

    method = make_method(config)
    with seeded(seed, uses_torch=config.method.USES_TORCH), threadpool_limits(limits=config.engine.threads):
        fitted = method.fit(source, n_clusters, RunContext(seed, _device(config)))
        found = fitted.clustering, fitted.predict(target)
    for clustering, counts in zip(found, (source, target), strict=True):
        check_clustering(clustering, counts.matrix.shape[0])
    return found


def _device(config: RunConfig) -> str:
    """Return the one device that fits are made on."""
    if not config.method.USES_TORCH:
        return "cpu"
    import torch

    torch.set_num_threads(config.engine.threads)
    name = parse_devices(config.device)[0]
    if name == "auto":
        return "cuda:0" if torch.cuda.is_available() else "cpu"
    return "cuda:0" if name == "cuda" else name
