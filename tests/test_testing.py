"""``check_method`` passes a good method and names what is wrong with a bad one."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from scbench.method import Clustering, Counts, RunContext, check_n_clusters
from scbench.testing import check_method

FITS = itertools.count()


class Good:
    """Cut the cells by library size."""

    def fit_predict(self, counts: Counts, n_clusters: int, run: RunContext) -> Clustering:
        check_n_clusters(n_clusters, counts.matrix.shape[0])
        ranks = np.argsort(np.argsort(np.asarray(counts.matrix.sum(axis=1)).ravel(), kind="stable"))
        return Clustering((ranks * n_clusters // len(ranks)).astype(np.int64))


def bad(change: Callable[[Counts, int, Clustering], Clustering]) -> type:
    class Bad(Good):
        def fit_predict(self, counts: Counts, n_clusters: int, run: RunContext) -> Clustering:
            return change(counts, n_clusters, super().fit_predict(counts, n_clusters, run))

    return Bad


def write_to_input(counts: Counts, _: int, done: Clustering) -> Clustering:
    counts.matrix.data += 1
    return done


def fail_for_one_cluster(_: Counts, n_clusters: int, done: Clustering) -> Clustering:
    if n_clusters == 1:
        raise RuntimeError("cannot make one")
    return done


def test_a_good_method_passes_as_class_instance_or_factory() -> None:
    check_method(Good)
    check_method(Good())
    check_method(lambda: Good())


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (bad(lambda c, k, d: Clustering(d.labels[:-1])), "one per input cell"),
        (bad(lambda c, k, d: Clustering(d.labels.astype(np.int32))), "labels must be int64, got int32"),
        (bad(lambda c, k, d: Clustering(d.labels - 1)), "labels must not be negative"),
        (bad(lambda c, k, d: Clustering(np.arange(len(d.labels)))), "4 clusters were asked for, 200 came"),
        (bad(lambda c, k, d: Clustering(d.labels, embedding=np.zeros((len(d.labels), 2)))), "must be float32"),
        (bad(lambda c, k, d: Clustering((d.labels + next(FITS)) % k)), "the same seed gave other labels"),
        (bad(write_to_input), "fit_predict changed its input"),
        (bad(fail_for_one_cluster), "n_clusters = 1: fit_predict raised RuntimeError: cannot make one"),
    ],
)
def test_a_bad_method_is_told_what_is_wrong(method: type, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_method(method)


def test_more_clusters_than_cells_must_be_refused_in_words() -> None:
    class Silent(Good):
        def fit_predict(self, counts: Counts, n_clusters: int, run: RunContext) -> Clustering:
            return super().fit_predict(counts, min(n_clusters, counts.matrix.shape[0]), run)

    with pytest.raises(AssertionError, match="more clusters than cells must raise ValueError"):
        check_method(Silent)
