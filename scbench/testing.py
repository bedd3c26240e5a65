"""Checks that any author of a method can run on it: ``scbench.testing.check_method(MyMethod)``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.sparse import csr_matrix, vstack

from scbench.data.config import SimulatedDataset
from scbench.data.simulate import simulate
from scbench.inputs import InputCache
from scbench.label_bait import bait, scores_are_own
from scbench.method import Clustering, Counts, Method, RunContext
from scbench.result_check import check_clustering
from scbench.run.seeding import seed_process

__all__ = ["check_method", "toy_counts"]

_N_CLUSTERS = 4


def toy_counts(n_cells: int = 200, n_genes: int = 300, seed: int = 0) -> Counts:
    """Return simulated counts with four types, their order shuffled; the labels are thrown away."""
    config = SimulatedDataset(
        name="toy", n_cells=n_cells, n_genes=n_genes, n_types=_N_CLUSTERS, dropout=0.0, imbalance=2.0, seed=seed
    )
    return Counts(simulate(config).matrix)


def check_method(method: type[Method] | Callable[[], Method] | Method, *, counts: Counts | None = None) -> None:
    """Check that a method fulfils the contract.

    Shapes and dtypes, the same result for the same seed on the CPU, inputs unchanged, no more clusters than asked
    for (unless its configuration says ``RESPECTS_K = False``), one cell more or less, constant and empty genes,
    empty cells, one cluster, and a clear error for more clusters than cells. Different seeds may differ.

    Labels are laid out where a method could look for them (frames, the garbage collector, the command line, the folders
    of the cache and of the environment), once those of one partition and once shuffled: the result must be the same.
    A method must not replace scbench's scores either. In a run of the command none of these would help it.

    Args:
        method: the class (or anything that makes an instance without arguments), or an instance.
        counts: counts to check with, at least 30 cells; simulated ones by default.

    Raises:
        AssertionError: the first broken rule, in words.
    """
    make: Callable[[], Method] = method if callable(method) else lambda: method
    data = toy_counts() if counts is None else counts
    n_cells = data.matrix.shape[0]
    first = _check_fit(make, data, _N_CLUSTERS, "the toy counts")
    _check_determinism(make, data, first)
    _check_labels_are_not_read(make, data)
    matrix = data.matrix
    for case, changed in (
        ("one cell less", csr_matrix(matrix[:-1])),
        ("one cell more", csr_matrix(vstack([matrix, matrix[:1]], format="csr"))),
        ("constant genes and empty genes", _with_constant_genes(matrix)),
        ("empty cells", _with_empty_cells(matrix)),
    ):
        _check_fit(make, Counts(changed.astype(np.float32), data.genes, data.is_counts), _N_CLUSTERS, case)
    one = _check_fit(make, data, 1, "n_clusters = 1")
    _require(
        not _respects_k(make()) or len(np.unique(one.labels)) == 1,
        f"n_clusters = 1 must give one cluster, got {len(np.unique(one.labels))}",
    )
    _check_too_many(make, data, n_cells)


def _check_fit(make: Callable[[], Method], counts: Counts, n_clusters: int, case: str) -> Clustering:
    """Fit once and check result and inputs."""
    matrix = counts.matrix
    before = [array.copy() for array in (matrix.data, matrix.indices, matrix.indptr)]
    genes = None if counts.genes is None else counts.genes.copy()
    method = make()
    try:
        clustering = _fit(method, counts, n_clusters, seed=0)
    except Exception as error:
        raise AssertionError(f"{case}: fit_predict raised {type(error).__name__}: {error}") from error
    try:
        check_clustering(clustering, matrix.shape[0])
    except (TypeError, ValueError, FloatingPointError) as error:
        raise AssertionError(f"{case}: {error}") from error
    _require(clustering.labels.dtype == np.int64, f"{case}: labels must be int64, got {clustering.labels.dtype}")
    if clustering.embedding is not None:
        dtype = clustering.embedding.dtype
        _require(dtype == np.float32, f"{case}: the embedding must be float32, got {dtype}")
    found = len(np.unique(clustering.labels))
    _require(
        found <= n_clusters or not _respects_k(method), f"{case}: {n_clusters} clusters were asked for, {found} came"
    )
    if clustering.soft is not None and _respects_k(method):
        columns = clustering.soft.shape[1]
        _require(columns == n_clusters, f"{case}: soft must have {n_clusters} columns, got {columns}")
    after = (matrix.data, matrix.indices, matrix.indptr)
    unchanged = all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    unchanged &= genes is None or counts.genes is None or np.array_equal(genes, counts.genes)
    _require(unchanged, f"{case}: fit_predict changed its input; copy what you write to")
    return clustering


def _check_determinism(make: Callable[[], Method], counts: Counts, first: Clustering) -> None:
    """The same seed must give the same result; draws outside ``run`` would show here."""
    again = _fit(make(), counts, _N_CLUSTERS, seed=0)
    same = np.array_equal(first.labels, again.labels)
    _require(same, "the same seed gave other labels; take all randomness from run")
    if first.embedding is not None and again.embedding is not None:
        same = np.array_equal(first.embedding, again.embedding)
        _require(same, "the same seed gave another embedding; take all randomness from run")
    _fit(make(), counts, _N_CLUSTERS, seed=1)  # may differ, must work


def _check_labels_are_not_read(make: Callable[[], Method], counts: Counts) -> None:
    """Labels within reach must not change the result, and scores must stay those of scbench."""
    n_cells = counts.matrix.shape[0]
    rng = np.random.default_rng(0)
    labels = np.array([f"type {i}" for i in rng.integers(_N_CLUSTERS, size=n_cells)])
    found = []
    for given in (labels, rng.permutation(labels)):
        with bait(counts, given) as cache:
            found.append(_fit(make(), counts, _N_CLUSTERS, seed=0, cache=cache))
    told = "labels that lie about changed the {}; a method uses nothing but counts, n_clusters and run"
    _require(np.array_equal(found[0].labels, found[1].labels), told.format("result"))
    embeddings = [clustering.embedding for clustering in found]
    if embeddings[0] is not None and embeddings[1] is not None:
        _require(np.array_equal(embeddings[0], embeddings[1]), told.format("embedding"))
    _require(scores_are_own(), "scbench.metrics was changed; a method must leave the scores alone")


def _check_too_many(make: Callable[[], Method], counts: Counts, n_cells: int) -> None:
    """More clusters than cells must be refused with both numbers."""
    try:
        _fit(make(), counts, n_cells + 1, seed=0)
    except ValueError as error:
        text = str(error)
        _require(
            str(n_cells) in text and str(n_cells + 1) in text,
            f"the error for more clusters than cells must name both numbers, got: {text}",
        )
        return
    except Exception as error:
        raise AssertionError(f"more clusters than cells must raise ValueError, got {type(error).__name__}") from error
    raise AssertionError("more clusters than cells must raise ValueError (see scbench.method.check_n_clusters)")


def _fit(method: Method, counts: Counts, n_clusters: int, seed: int, cache: InputCache | None = None) -> Clustering:
    """Fit as the worker does."""
    seed_process(seed, uses_torch=getattr(getattr(method, "config", None), "USES_TORCH", True))
    return method.fit_predict(counts, n_clusters, RunContext(seed, cache=cache))


def _respects_k(method: Method) -> bool:
    """Return whether the method promises at most K clusters."""
    return bool(getattr(getattr(method, "config", None), "RESPECTS_K", True))


def _with_constant_genes(matrix: csr_matrix) -> csr_matrix:
    """Return counts in which three genes are the same in every cell and three are zero in every cell."""
    dense = matrix.toarray()
    dense[:, :3] = 2
    dense[:, 3:6] = 0
    return csr_matrix(dense)


def _with_empty_cells(matrix: csr_matrix) -> csr_matrix:
    """Return counts in which the first three cells have none."""
    kept = np.ones(matrix.shape[0], dtype=np.float32)
    kept[:3] = 0
    emptied = csr_matrix(matrix.multiply(kept[:, None]))
    emptied.eliminate_zeros()
    return emptied


def _require(holds: bool, message: str) -> None:
    """Raise AssertionError unless ``holds``; ``assert`` would vanish under ``python -O``."""
    if not holds:
        raise AssertionError(message)
