from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from scbench.report.markers.panel import panel_of, sample_per_group
from scbench.report.markers.ranking import Markers


def markers(genes: list[list[int]], score: list[list[float]], groups: list[int]) -> Markers:
    numbers = np.array(score)
    return Markers(np.array(groups), np.array(genes), numbers, numbers, numbers, numbers, numbers, numbers)


def test_genes_are_raised_and_of_no_earlier_group_and_means_are_of_all_cells() -> None:
    dense = np.array([[4, 0, 1], [2, 0, 0], [0, 3, 1], [0, 1, 1], [9, 9, 9]], dtype=np.float32)
    codes = np.array([0, 0, 2, 2, 1])  # group 1 is not tested
    panel = panel_of(csr_matrix(dense), codes, markers([[0, 2], [0, 1]], [[5, -1], [3, 2]], [0, 2]))
    assert panel.genes.tolist() == [0, 1]  # 2 is not raised in the first group; 0 is the first group's
    assert panel.groups.tolist() == [0, 1]
    assert panel.mean.tolist() == [[3, 0], [0, 2]]
    assert panel.share.tolist() == [[1, 0], [0, 1]]
    assert panel.values.tolist() == [[4, 0], [2, 0], [0, 3], [0, 1]]
    assert panel.cells.tolist() == [0, 0, 1, 1]


def test_no_raised_gene_is_an_empty_panel() -> None:
    panel = panel_of(csr_matrix(np.ones((4, 2))), np.array([0, 0, 1, 1]), markers([[0], [1]], [[0], [-1]], [0, 1]))
    assert panel.genes.tolist() == []
    assert panel.mean.shape == (2, 0)


def test_a_sample_has_at_most_so_many_of_each_group_and_does_not_change() -> None:
    codes = np.repeat([0, 1, 2], [500, 4, 30])
    chosen = sample_per_group(codes, 20)
    assert np.bincount(codes[chosen]).tolist() == [20, 4, 20]
    assert (np.diff(chosen) > 0).all()
    assert np.array_equal(chosen, sample_per_group(codes, 20))
