"""One fit of a batch transfer: learn on the cells of one batch, place those of the others, score all."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar

import numpy as np

from scbench.config.schema import ESTIMATES, RunConfig, parse_devices, parse_n_clusters
from scbench.errors import ConfigError
from scbench.method import Clustering, Counts, Diverged, FittedMethod, RunContext, TransferMethod

__all__ = ["make_method", "transfer_run"]

_LOG = logging.getLogger(__name__)
_Made = TypeVar("_Made")


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
    config: RunConfig, counts: Counts, types: np.ndarray, parts: Mapping[str, np.ndarray], learnt_on: str, seed: int
) -> Iterator[dict[str, Any]]:
    """Fit to one batch, place the others, and yield what is to be said of each; types are looked at afterwards.

    Args:
        config: method, number of clusters, device and threads.
        counts: of all cells.
        types: (n_cells,) annotated types; the fit sees their number in the first batch at most.
        parts: rows of each batch, by its name.
        learnt_on: the batch that is learnt from.
        seed: of the fit, and of the order of the rows.

    Yields:
        Two lines for each other batch, ``learnt`` (of the one fit, so the same each time but for ``placed``) and
        ``placed``. ``seconds`` are those of the fit (and of the estimate of the number of clusters, where one is
        asked for) and of placing these cells. When the fit fails, all lines have its reason; when a batch cannot be
        placed, its own line does.
    """
    rows = {name: _shuffled(of, seed) for name, of in parts.items()}
    source = _cells(counts, rows[learnt_on])
    said: dict[str, Any] = {}

    def learn() -> FittedMethod:
        said["k_given"] = _n_clusters(config, source, types[rows[learnt_on]])
        return _fitted(config, source, said["k_given"], seed)

    fitted, learnt = _tried(learn)
    if fitted is not None:
        learnt |= _scores(types[rows[learnt_on]], fitted.clustering)
    for name in parts:
        if name == learnt_on:
            continue
        placed = learnt
        if fitted is not None:
            clustering, placed = _tried(partial(_placed, config, fitted, _cells(counts, rows[name]), seed))
            if clustering is not None:
                placed |= _scores(types[rows[name]], clustering)
        of_both = {"learnt_on": learnt_on, "placed": name, "seed": seed, **said}
        yield of_both | {"part": "learnt", "n_cells": len(parts[learnt_on])} | learnt
        yield of_both | {"part": "placed", "n_cells": len(parts[name])} | placed


def _shuffled(rows: np.ndarray, seed: int) -> np.ndarray:
    """Return rows in the order of a seed, so that the file's says nothing."""
    from scbench.run.seeding import row_order

    shuffled: np.ndarray = rows[row_order(len(rows), seed)]
    return shuffled


def _cells(counts: Counts, rows: np.ndarray) -> Counts:
    """Return the counts of some of the cells."""
    return Counts(counts.matrix[rows], counts.genes, counts.is_counts)


def _tried(make: Callable[[], _Made]) -> tuple[_Made | None, dict[str, Any]]:
    """Return what was made, None where that failed, and what is to be said of it: status, reason, seconds."""
    started = time.perf_counter()
    try:
        made = make()
    except Exception as error:  # the other seeds and batches go on; the table says what happened
        _LOG.debug("transfer failed", exc_info=True)
        status = "diverged" if isinstance(error, Diverged) else "error"
        return None, {"status": status, "error": " ".join(f"{type(error).__name__}: {error}".split())}
    return made, {"status": "ok", "error": "", "seconds": round(time.perf_counter() - started, 3)}


def _scores(types: np.ndarray, clustering: Clustering) -> dict[str, Any]:
    """Return the scores of the clusters, and their number."""
    from scbench.metrics import score

    scores = score(types, clustering.labels)
    return {"k_found": len(np.unique(clustering.labels))} | scores


def _n_clusters(config: RunConfig, source: Counts, types: np.ndarray) -> int:
    """Return the number of clusters, which the batch that is learnt from decides."""
    rule, number = parse_n_clusters(config.n_clusters, config.estimate)
    if number is not None:
        return number
    if rule in ESTIMATES.values():
        from scbench.graph.estimate_k import k_with_evidence

        return k_with_evidence(source, config.estimate)[0]
    return len(np.unique(types))


def _fitted(config: RunConfig, source: Counts, n_clusters: int, seed: int) -> FittedMethod:
    """Return the method after its fit."""
    from threadpoolctl import threadpool_limits

    from scbench.result_check import check_clustering
    from scbench.run.seeding import seeded

    method = make_method(config)
    with seeded(seed, uses_torch=config.method.USES_TORCH), threadpool_limits(limits=config.engine.threads):
        fitted = method.fit(source, n_clusters, RunContext(seed, _device(config)))
    check_clustering(fitted.clustering, source.matrix.shape[0])
    return fitted


def _placed(config: RunConfig, fitted: FittedMethod, target: Counts, seed: int) -> Clustering:
    """Return the clusters of other cells; those of one batch do not depend on which were placed before."""
    from threadpoolctl import threadpool_limits

    from scbench.result_check import check_clustering
    from scbench.run.seeding import seeded

    with seeded(seed, uses_torch=config.method.USES_TORCH), threadpool_limits(limits=config.engine.threads):
        clustering = fitted.predict(target)
    check_clustering(clustering, target.matrix.shape[0])
    return clustering


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
