"""The cells on the device: z-scored batches made from the counts, noise, masks, and where the randomness comes from."""

from __future__ import annotations

from contextlib import AbstractContextManager

import numpy as np
import torch
from scbench_methods.scsamac.config import ScSamacConfig
from scbench_methods.scsamac.inputs import Inputs
from scbench_methods.scsamac.saliency import masking_probabilities
from torch import Tensor

from scbench.method import RunContext
from scbench.nn.count_batch import CountBatch
from scbench.nn.precision import product_type, wide_products
from scbench.nn.sparse_counts import SparseCounts

__all__ = ["Cells"]


class Cells:
    """The inputs of one fit on its device; only the counts, two vectors of genes and one of cells are kept there.

    Args:
        inputs: seed-free inputs.
        config: the method's configuration.
        run: device and randomness.

    Attributes:
        taught: (n_taught,) int64 on the CPU, the cells that have counts, in the order in which they came.
        empty: (n_empty,) int64 on the CPU, the others.
        order: generator on the CPU, of batches, masks and the choice of cells that evaluation attends to.
        generator: of the noise, on the device, where draws on the CPU would cost more than the step; on the CPU it is
            the same as ``order``, and the dropout of the attention draws from it too.
        least_batch: a last batch smaller than this joins the one before it.
    """

    def __init__(self, inputs: Inputs, config: ScSamacConfig, run: RunContext) -> None:
        self.config = config
        self.device = run.device
        self.product_type = product_type(config.precision, self.device)
        self.dtype = torch.float64 if config.precision == "float64" else torch.float32
        self.least_batch = min(config.least_batch, config.batch_size)
        self.order = run.generator
        self.generator = run.generator
        if self.device.type != "cpu":
            seed = int(torch.randint(2**62, (), generator=run.generator))
            self.generator = torch.Generator(self.device).manual_seed(seed)
        nonempty = torch.tensor(inputs.nonempty)
        self.taught, self.empty = torch.nonzero(nonempty)[:, 0], torch.nonzero(~nonempty)[:, 0]
        self.n_cells, self.n_genes = inputs.counts.shape
        self._counts = SparseCounts(inputs.counts, self._on_device(inputs.size_factors), self.device)
        self._inverse_sd = self._on_device(1 / inputs.sd)
        self._of_zero = self._on_device(-inputs.mean / inputs.sd)  # the z-score of a count of 0
        sums = inputs.log_norm_sums if config.saliency == "log_norm" else inputs.count_sums
        self._masking = masking_probabilities(torch.tensor(sums), config.mask).to(torch.float32)

    def _on_device(self, values: np.ndarray) -> Tensor:
        """Return numbers on the device in the precision of the network."""
        return torch.tensor(values, device=self.device, dtype=self.dtype)

    @property
    def precision(self) -> str:
        """What the run computes in, for its record."""
        if self.product_type == torch.bfloat16:
            return "bfloat16 wide products, else float32"
        return str(self.dtype).removeprefix("torch.")

    @property
    def masked_share(self) -> float | None:
        """Return the expected share of genes that are masked, or None when it differs from batch to batch."""
        return None if self.config.saliency == "scaled_batch" else float(self._masking.mean())

    def batch(self, cells: Tensor) -> CountBatch:
        """Return the counts of ``cells``, int64 on the CPU."""
        return self._counts.batch(cells)

    def scaled(self, batch: CountBatch) -> Tensor:
        """Return the z-scores of a batch, (n_cells, n_genes)."""
        rows, columns = batch.gathered.rows, batch.gathered.columns
        log_norm = torch.log1p(batch.gathered.values / batch.size_factors[rows])
        x = self._of_zero.repeat(batch.n_cells, 1)
        x.view(-1)[batch.where] = torch.addcmul(self._of_zero[columns], log_norm, self._inverse_sd[columns])
        return x

    def noisy(self, x: Tensor) -> Tensor:
        """Return ``x`` with normal noise."""
        noise = torch.randn(x.shape, generator=self.generator, dtype=x.dtype, device=x.device)
        return torch.add(x, noise, alpha=self.config.noise_std, out=noise)

    def visible_genes(self, x: Tensor) -> Tensor:
        """Return the genes that the masked view of a batch keeps, int64 on the device; a new draw at each call.

        One draw for each gene, for all cells of the batch: a masked gene is at its mean in the z-scores.
        """
        probabilities = self._masking
        if self.config.saliency == "scaled_batch":
            probabilities = masking_probabilities(x.sum(dim=0), self.config.mask).cpu()
        draws = torch.rand(self.n_genes, generator=self.order)
        return torch.nonzero(draws >= probabilities)[:, 0].to(self.device)

    def wide_products(self) -> AbstractContextManager[None]:
        """Return the context in which wide matrices are multiplied in the type of the run."""
        return wide_products(self.device, self.product_type)
