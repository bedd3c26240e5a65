from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scbench_methods.scsamac.cells import Cells
from scbench_methods.scsamac.config import ScSamacConfig
from scbench_methods.scsamac.evaluation import Evaluation
from scbench_methods.scsamac.inputs import make_inputs
from scbench_methods.scsamac.model import Network
from scbench_methods.scsamac.views import encode
from scipy.sparse import csr_matrix

from scbench.method import Counts, RunContext
from scbench.run.seeding import seed_process
from scbench.testing import toy_counts

COUNTS = toy_counts(90, 150)


def setting(counts: Counts = COUNTS, **settings: Any) -> tuple[Network, Cells]:
    seed_process(0, uses_torch=True)
    config = ScSamacConfig(**{"n_top_genes": "all", **settings})
    cells = Cells(make_inputs(counts, config, None), config, RunContext(0))
    network = Network(cells.n_genes, config.likelihood, config.n_heads, config.dropout, cells.generator)
    return network.to(cells.dtype), cells


def test_evaluation_does_not_depend_on_the_order_of_the_cells() -> None:
    order = np.random.default_rng(0).permutation(90)
    network, cells = setting(precision="float64")
    moved = Cells(
        make_inputs(Counts(csr_matrix(COUNTS.matrix[order])), cells.config, None), cells.config, RunContext(0)
    )
    latent, again = (Evaluation(network, c).latent() for c in (cells, moved))
    torch.testing.assert_close(again, latent[order], rtol=1e-5, atol=1e-6)


def test_evaluation_by_blocks_depends_on_the_order_of_the_cells() -> None:
    order = np.random.default_rng(0).permutation(90)
    network, cells = setting(variant="paper_code", batch_size=32)
    moved = Cells(
        make_inputs(Counts(csr_matrix(COUNTS.matrix[order])), cells.config, None), cells.config, RunContext(0)
    )
    latent, again = (Evaluation(network, c).latent() for c in (cells, moved))
    assert not torch.allclose(again, latent[order], rtol=1e-3)


def test_blocks_are_batches_in_the_order_of_the_cells() -> None:
    network, cells = setting(variant="paper_code", batch_size=32)
    found = Evaluation(network, cells).latent()
    network.eval()
    for block in torch.arange(90).split(32):
        (alone,) = encode(network, cells, cells.scaled(cells.batch(block)), ("clean",))
        torch.testing.assert_close(found[block], alone, rtol=1e-4, atol=1e-5)


def test_evaluation_over_one_batch_is_that_batch() -> None:
    network, cells = setting()
    found = Evaluation(network, cells).latent()
    assert network.training
    (alone,) = encode(network.eval(), cells, cells.scaled(cells.batch(torch.arange(90))), ("clean",))
    torch.testing.assert_close(found, alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("variant", ["default", "paper_code"])
def test_cells_without_counts_look_but_are_not_looked_at(variant: str) -> None:
    emptied = COUNTS.matrix.toarray()
    emptied[[0, 50]] = 0
    network, cells = setting(Counts(csr_matrix(emptied)), variant=variant, batch_size=40)
    kept = np.delete(np.arange(90), [0, 50])
    assert cells.empty.tolist() == [0, 50]
    dropped = Cells(make_inputs(Counts(csr_matrix(emptied[kept])), cells.config, None), cells.config, RunContext(0))
    latent, without = Evaluation(network, cells).latent(), Evaluation(network, dropped).latent()
    torch.testing.assert_close(latent[kept], without, rtol=1e-4, atol=1e-5)
    assert torch.isfinite(latent).all()


def test_attention_to_a_sample_of_all_cells_is_exact() -> None:
    network, cells = setting()
    exact = Evaluation(network, cells)
    network, cells = setting(exact_attention_cells=50, n_landmarks=90)
    sampled = Evaluation(network, cells)
    assert (exact.scope, sampled.scope) == ("all cells", "90 random cells")
    torch.testing.assert_close(sampled.latent(), exact.latent(), rtol=1e-4, atol=1e-5)
    network, cells = setting(exact_attention_cells=50, n_landmarks=20)
    few = Evaluation(network, cells)
    assert torch.equal(few.latent(), few.latent())
    assert not torch.allclose(few.latent(), exact.latent(), rtol=1e-3)
