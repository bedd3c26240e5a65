"""A watched run: which reports are scored, and what happens when the parent gives it up."""

from __future__ import annotations

from multiprocessing import Pipe
from threading import Thread
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from scbench.method import Counts, Pruned
from scbench.metrics.fixed_space import FixedSpace
from scbench.run.local.watch import Watch
from scbench.run.local.worker import _status_of

LABELS = np.repeat([0, 1], 10)


def watched(n_reports: int, give_up_at: int | None = None) -> tuple[list[tuple[int, float]], Pruned | None]:
    """Report so often to a parent that gives up at one of the reports; return what it heard."""
    matrix = np.random.default_rng(0).poisson(1.0, size=(20, 30)).astype(np.float32)
    ours, theirs = Pipe()
    heard: list[tuple[int, float]] = []

    def answer() -> None:
        while (message := ours.recv()) is not None:
            _, number, value = message
            heard.append((number, value))
            ours.send(number == give_up_at)

    parent = Thread(target=answer)
    parent.start()
    watch = Watch("modularity", FixedSpace(Counts(csr_matrix(matrix))), theirs)
    pruned: Any = None
    try:
        for epoch in range(n_reports):
            watch.report(epoch + 100, LABELS)
    except Pruned as error:
        pruned = error
    theirs.send(None)
    parent.join()
    return heard, pruned


def test_the_first_reports_are_scored_each_and_later_ones_ever_fewer() -> None:
    heard, pruned = watched(200)
    numbers = [number for number, _ in heard]
    assert numbers[:21] == list(range(21))
    assert numbers[21:25] == [22, 24, 26, 28]
    assert len(numbers) == 47
    assert pruned is None
    assert len({value for _, value in heard}) == 1


def test_a_run_that_is_given_up_ends_there_and_counts_as_not_done() -> None:
    heard, pruned = watched(50, give_up_at=7)
    assert len(heard) == 8
    assert pruned is not None
    assert str(pruned).startswith("given up by the search at epoch 107: modularity ")
    assert _status_of(pruned) == "interrupted"


def test_an_embedding_is_passed_over() -> None:
    ours, theirs = Pipe()
    matrix = csr_matrix(np.ones((20, 30), dtype=np.float32))
    Watch("modularity", FixedSpace(Counts(matrix)), theirs).report(0, np.zeros((20, 2)))
    assert not ours.poll()


def test_labels_of_the_wrong_length_are_an_error_of_the_run() -> None:
    matrix = np.random.default_rng(0).poisson(1.0, size=(20, 30)).astype(np.float32)
    watch = Watch("modularity", FixedSpace(Counts(csr_matrix(matrix))), Pipe()[1])
    with pytest.raises(ValueError, match="20 nodes"):
        watch.report(0, LABELS[:5])
