"""What a run does with ``RunContext.report`` while a search watches it: score, ask, and end when it is given up."""

from __future__ import annotations

from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

import numpy as np

from scbench.method import Pruned

if TYPE_CHECKING:
    from scbench.metrics.fixed_space import FixedSpace, SpaceScore

__all__ = ["Watch"]

_GROWTH = 10  # the wait for the next is a tenth of what has been: 100 epochs give 39 looks, 1000 give 64


class Watch:
    """Score the labels that a method reports, without true labels, and let the parent decide.

    Not every report is scored: each of the first ten, and ever fewer after that, the same ones in every run.

    Args:
        score: which score.
        space: of the run's cells, in the run's order.
        connection: to the parent, which answers each score with whether the run is given up.
    """

    def __init__(self, score: SpaceScore, space: FixedSpace, connection: Connection) -> None:
        self._score = score
        self._space = space
        self._connection = connection
        self._n_reports = 0
        self._next = 0

    def report(self, epoch: int, reported: np.ndarray) -> None:
        """Take the labels of all cells; anything else, such as an embedding, is passed over.

        Raises:
            Pruned: when the parent gives this run up.
        """
        number = self._n_reports
        self._n_reports += 1
        labels = np.asarray(reported)
        if number < self._next or labels.ndim != 1:
            return
        self._next = number + max(1, number // _GROWTH)
        value = self._space.score(self._score, labels)
        self._connection.send(("report", number, value))
        if self._connection.recv():
            raise Pruned(f"given up by the search at epoch {epoch}: {self._score} {value:.4f}")
