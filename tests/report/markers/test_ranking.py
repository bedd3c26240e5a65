"""Wilcoxon markers: by hand, against scipy, and what does not change them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.stats import false_discovery_control, mannwhitneyu, norm, rankdata, tiecorrect

from scbench.report.markers.expression import NoMarkersError
from scbench.report.markers.ranking import TOP, rank_markers


def expression(n_cells: int = 60, n_genes: int = 130) -> tuple[csr_matrix, np.ndarray]:
    """Return values with many ties, one constant gene, and three groups of which one has two cells."""
    rng = np.random.default_rng(0)
    codes = np.concatenate([np.repeat([0, 1, 3], (n_cells - 2) // 3 + 1)[: n_cells - 2], [2, 2]])
    rates = rng.gamma(1.0, 1.0, size=(4, n_genes))
    dense = rng.poisson(rates[codes]).astype(np.float32)
    dense[:, 7] = 1
    return csr_matrix(np.log1p(dense)), codes


def test_two_groups_by_hand() -> None:
    # Ranks 4 + 5 + 6 of 6: 4.5 above 10.5, with a variance of 3 * 3 * 7 / 12.
    values = csr_matrix([[4, 3], [5, 2], [6, 1], [1, 6], [2, 5], [3, 4]], dtype=np.float32)
    found = rank_markers(values, np.array([0, 0, 0, 1, 1, 1]))
    assert found.groups.tolist() == [0, 1]
    assert found.genes.tolist() == [[0], [1]]
    z = 4.5 / np.sqrt(5.25)
    np.testing.assert_allclose(found.score, [[z], [z]], rtol=1e-6)
    np.testing.assert_allclose(found.p, 2 * norm.sf(z), rtol=1e-6)
    np.testing.assert_allclose(found.p_adjusted, 2 * norm.sf(z), rtol=1e-6)
    np.testing.assert_allclose(found.log2_fold_change, np.log2(np.expm1(5) / np.expm1(2)), rtol=1e-6)
    assert (found.inside == 1).all()
    assert (found.outside == 1).all()


def test_against_scipy_with_ties_and_a_group_that_is_too_small() -> None:
    values, codes = expression()
    dense = values.toarray()
    found = rank_markers(values, codes)
    assert found.groups.tolist() == [0, 1, 3]
    assert found.genes.shape == (3, TOP)
    for place, code in enumerate(found.groups):
        inside, outside = dense[codes == code], dense[codes != code]
        n, m = len(inside), len(outside)
        ranks = rankdata(np.concatenate([inside, outside]), axis=0)
        ties = np.array([tiecorrect(column) for column in ranks.T])
        spread = np.sqrt(ties * n * m * (n + m + 1) / 12)
        centred = ranks[:n].sum(axis=0) - n * (n + m + 1) / 2
        score = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0)
        genes = found.genes[place]
        np.testing.assert_allclose(found.score[place], score[genes], rtol=1e-5, atol=1e-6)
        assert (np.diff(found.score[place]) <= 0).all()
        assert found.score[place].min() >= np.delete(score, genes).max() - 1e-5
        varied = genes[genes != 7]
        p = mannwhitneyu(inside[:, varied], outside[:, varied], method="asymptotic", use_continuity=False).pvalue
        np.testing.assert_allclose(found.p[place][genes != 7], p, rtol=1e-5)
        every = np.where(spread > 0, 2 * norm.sf(np.abs(score)), 1.0)
        np.testing.assert_allclose(found.p_adjusted[place], false_discovery_control(every)[genes], rtol=1e-5)
        np.testing.assert_allclose(found.inside[place], (inside > 0).mean(axis=0)[genes])
        np.testing.assert_allclose(found.outside[place], (outside > 0).mean(axis=0)[genes])


def test_the_order_of_cells_and_the_numbers_of_groups_change_nothing() -> None:
    values, codes = expression()
    found = rank_markers(values, codes)
    order = np.random.default_rng(1).permutation(len(codes))
    again = rank_markers(values[order], 3 - codes[order])
    assert again.groups.tolist() == [0, 2, 3]
    assert again.genes[::-1].tolist() == found.genes.tolist()
    np.testing.assert_array_equal(again.score[::-1], found.score)


def test_equal_scores_are_in_the_order_of_columns_and_input_is_not_changed() -> None:
    column = np.array([3.0, 3.0, 3.0, 0.0, 0.0, 0.0], dtype=np.float32)
    values = csr_matrix(np.stack([column] * 6, axis=1))
    before = values.copy()
    found = rank_markers(values, np.array([0, 0, 0, 1, 1, 1]))
    assert found.genes.tolist() == [[0, 1, 2], [0, 1, 2]]
    assert (values != before).nnz == 0


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        ([0] * 6, "no group can be tested: sizes are 6, and at least 3 cells inside and outside are needed"),
        ([0, 0, 0, 0, 0, 1], "no group can be tested: sizes are 5, 1"),
        (list(range(6)) + list(range(6, 12)), r"sizes are 1, 1, 1, 1, 1, 1, 1, 1, \.\.\."),
    ],
)
def test_groups_that_cannot_be_tested(codes: list[int], message: str) -> None:
    values = csr_matrix(np.ones((len(codes), 4), dtype=np.float32))
    with pytest.raises(NoMarkersError, match=message):
        rank_markers(values, np.array(codes))


def test_too_few_genes_and_other_cells() -> None:
    one = csr_matrix(np.ones((6, 1), dtype=np.float32))
    with pytest.raises(NoMarkersError, match="1 expressed gene is too few"):
        rank_markers(one, np.array([0, 0, 0, 1, 1, 1]))
    with pytest.raises(ValueError, match="2 grouped cells but 6 rows"):
        rank_markers(one, np.array([0, 1]))
