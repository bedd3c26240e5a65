"""Rows of a sparse count matrix on a device, and any of them gathered into a batch without a loop."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

__all__ = ["CountBatch", "CountBlock", "CountRows", "GatheredRows", "blocks_by_genes", "blocks_by_rows"]

_LEAST_WIDTH = 128  # genes; products with narrower blocks lose speed


class CountBlock(NamedTuple):
    """The counts of some consecutive rows and genes of a batch.

    Attributes:
        rows, genes: what the block covers.
        where: (n_nonzero,) int64 or int32, positions in the flattened block.
        values: (n_nonzero,) float32.
        log_factorials: sum of lgamma(values + 1); of a batch cut by genes, the first block has it for all.
    """

    rows: slice
    genes: slice
    where: Tensor
    values: Tensor
    log_factorials: float


class GatheredRows(NamedTuple):
    """Non-zero counts of chosen rows, row after row.

    Attributes:
        n_genes: columns.
        rows, columns: (n_nonzero,) int64, places in the batch.
        values: (n_nonzero,) float32.
        ends: (n_rows,) int64 on the CPU: where the entries of each row end.
        log_factorials: (n_rows,) float64 on the CPU: the sum of lgamma(values + 1) of each row.
    """

    n_genes: int
    rows: Tensor
    columns: Tensor
    values: Tensor
    ends: Tensor
    log_factorials: Tensor


class CountRows:
    """A count matrix on a device: 8 bytes for each non-zero count.

    Args:
        counts: (n_rows, n_genes) CSR, >= 0.
        device: where the counts are kept.
    """

    def __init__(self, counts: csr_matrix, device: torch.device | str = "cpu") -> None:
        self.n_genes: int = counts.shape[1]
        # Row lengths stay on the CPU: with them the size of a batch is known without asking the device.
        pointers = torch.tensor(counts.indptr, dtype=torch.int64)
        self._starts, self._lengths = pointers[:-1], pointers.diff()
        self._columns = torch.tensor(counts.indices, dtype=torch.int32, device=device)
        self._values = torch.tensor(counts.data, dtype=torch.float32, device=device)
        by_entry = torch.lgamma(torch.tensor(counts.data, dtype=torch.float64) + 1)
        sums = torch.cat([by_entry.new_zeros(1), by_entry.cumsum(0)])
        self._log_factorials = sums[pointers[1:]] - sums[pointers[:-1]]

    def gather(self, rows: Tensor) -> GatheredRows:
        """Return the counts of ``rows``, (n_chosen,) int64 on the CPU, in that order."""
        device = self._values.device
        lengths = self._lengths[rows]
        ends = lengths.cumsum(0)
        n_entries = int(ends[-1]) if len(ends) else 0
        # Entry e of the batch is entry e + shift[its row] of the matrix.
        shifts = (self._starts[rows] - (ends - lengths)).to(device)
        row_of = torch.repeat_interleave(lengths.to(device), output_size=n_entries)
        source = torch.arange(n_entries, device=device).add_(shifts[row_of])
        columns = self._columns[source].long()
        return GatheredRows(self.n_genes, row_of, columns, self._values[source], ends, self._log_factorials[rows])


class CountBatch:
    """The counts of some cells, as the losses of ``scbench.nn.sparse_counts`` take them.

    Args:
        gathered: the counts.
        size_factors: (n_cells,), on the device of the counts.
        block_entries: about how many predictions make a block.
    """

    def __init__(self, gathered: GatheredRows, size_factors: Tensor, block_entries: int) -> None:
        self.gathered = gathered
        self.size_factors = size_factors
        self.n_cells = len(gathered.ends)
        self.n_genes = gathered.n_genes
        self._block_entries = block_entries

    @cached_property
    def where(self) -> Tensor:
        """Positions of the non-zero counts in the flattened (n_cells, n_genes) matrix, int64, increasing by row."""
        return self.gathered.rows * self.n_genes + self.gathered.columns

    @cached_property
    def blocks(self) -> list[CountBlock]:
        """The counts, all cells and some genes at a time: then the slopes of a wide layer are written once."""
        return blocks_by_genes(self.gathered, max(_LEAST_WIDTH, self._block_entries // max(1, self.n_cells)))


def blocks_by_genes(gathered: GatheredRows, width: int) -> list[CountBlock]:
    """Return all rows in blocks of ``width`` genes."""
    n_genes, whole = gathered.n_genes, slice(0, len(gathered.ends))
    if width >= n_genes:
        return blocks_by_rows(gathered, max(1, len(gathered.ends)))
    n_blocks = -(-n_genes // width)
    block_of = (gathered.columns // width).cpu().numpy().astype(np.uint16)
    # numpy sorts short integers by radix, in linear time.
    order = torch.from_numpy(np.argsort(block_of, kind="stable")).to(gathered.columns.device)
    rows, columns, values = gathered.rows[order], gathered.columns[order], gathered.values[order]
    edges = [0, *np.bincount(block_of, minlength=n_blocks).cumsum().tolist()]
    log_factorials = float(gathered.log_factorials.sum())
    blocks = []
    for i in range(n_blocks):
        genes = slice(i * width, min((i + 1) * width, n_genes))
        entries = slice(edges[i], edges[i + 1])
        where = rows[entries] * (genes.stop - genes.start) + (columns[entries] - genes.start)
        blocks.append(CountBlock(whole, genes, where, values[entries], 0.0 if i else log_factorials))
    return blocks


def blocks_by_rows(gathered: GatheredRows, n_rows: int) -> list[CountBlock]:
    """Return all genes in blocks of ``n_rows`` rows."""
    n_cells = len(gathered.ends)
    edges = [0, *gathered.ends.tolist()]
    blocks = []
    for start in range(0, n_cells, n_rows):
        stop = min(start + n_rows, n_cells)
        entries = slice(edges[start], edges[stop])
        where = (gathered.rows[entries] - start) * gathered.n_genes + gathered.columns[entries]
        log_factorials = float(gathered.log_factorials[start:stop].sum())
        rows, genes = slice(start, stop), slice(0, gathered.n_genes)
        blocks.append(CountBlock(rows, genes, where, gathered.values[entries], log_factorials))
    return blocks
