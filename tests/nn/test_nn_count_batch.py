import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from scbench.nn.count_batch import CountBatch, CountBlock, CountRows, blocks_by_genes, blocks_by_rows


def matrix(n: int = 30, genes: int = 12) -> csr_matrix:
    rng = np.random.default_rng(0)
    dense = rng.poisson(0.6, (n, genes)).astype(np.float32)
    dense[4] = 0
    return csr_matrix(dense)


def dense_of(batch: CountBatch) -> torch.Tensor:
    whole = torch.zeros(batch.n_cells, batch.n_genes)
    whole.view(-1)[batch.where] = batch.gathered.values
    return whole


@pytest.mark.parametrize("cells", [[3], [4], [4, 4], [29, 0, 4, 7, 0], list(range(30))])
def test_a_batch_holds_the_chosen_rows_in_their_order(cells: list[int]) -> None:
    x = matrix()
    batch = CountBatch(CountRows(x).gather(torch.tensor(cells)), torch.ones(len(cells)), 64)
    np.testing.assert_array_equal(dense_of(batch), x[cells].toarray())


@pytest.mark.parametrize("n_rows", [1, 7, 30, 64])
def test_blocks_by_rows_cut_a_batch_into_rows(n_rows: int) -> None:
    x = matrix()
    blocks = blocks_by_rows(CountRows(x).gather(torch.arange(30)), n_rows)
    assert [block.rows.start for block in blocks] == list(range(0, 30, n_rows))
    assert blocks[-1].rows.stop == 30
    np.testing.assert_array_equal(put_together(blocks, x.shape), x.toarray())


@pytest.mark.parametrize("width", [1, 5, 12, 64])
def test_blocks_by_genes_cut_a_batch_into_genes(width: int) -> None:
    x = matrix()
    gathered = CountRows(x).gather(torch.arange(30))
    blocks = blocks_by_genes(gathered, width)
    assert [block.genes.start for block in blocks] == list(range(0, 12, width))
    assert blocks[-1].genes.stop == 12
    np.testing.assert_array_equal(put_together(blocks, x.shape), x.toarray())
    total = sum(block.log_factorials for block in blocks)
    assert total == pytest.approx(float(gathered.log_factorials.sum()))


def put_together(blocks: list[CountBlock], shape: tuple[int, int]) -> torch.Tensor:
    whole = torch.full(shape, -1.0)
    for block in blocks:
        part = torch.zeros_like(whole[block.rows, block.genes])
        part.view(-1)[block.where] = block.values
        whole[block.rows, block.genes] = part
    return whole


def test_log_factorials_are_summed_by_row() -> None:
    """ln 0! + ln 3! + ln 2! = ln 12."""
    found = CountRows(csr_matrix(np.array([[0.0, 3, 2], [0, 0, 0], [1, 4, 0]]))).gather(torch.tensor([2, 1, 0]))
    torch.testing.assert_close(found.log_factorials, torch.tensor([24.0, 1, 12], dtype=torch.float64).log())
    assert blocks_by_rows(found, 2)[0].log_factorials == pytest.approx(np.log(24))


def test_an_empty_batch_is_allowed() -> None:
    found = CountRows(matrix()).gather(torch.empty(0, dtype=torch.int64))
    assert len(found.values) == 0
    assert blocks_by_rows(found, 5) == []
