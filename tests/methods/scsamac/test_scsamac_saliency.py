from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scbench_methods.scsamac.cells import Cells
from scbench_methods.scsamac.config import MaskConfig, ScSamacConfig
from scbench_methods.scsamac.inputs import Inputs, make_inputs
from scbench_methods.scsamac.saliency import masking_probabilities, saliency_classes

from scbench.method import RunContext
from scbench.testing import toy_counts

ORACLES = Path(__file__).parents[2] / "oracles/scsamac"


@pytest.mark.parametrize("draw", [0, 1])
@pytest.mark.parametrize("source", ["scaled", "positive"])
def test_classes_and_masks_are_those_of_the_oracle(draw: int, source: str) -> None:
    oracle = np.load(ORACLES / f"saliency_mask_{draw}.npz")
    x = torch.tensor(oracle[f"{source}_x"])
    sums = x.sum(dim=0)
    np.testing.assert_array_equal(saliency_classes(sums, 0.1, 0.3), oracle[f"{source}_class"])
    zeroed = torch.tensor(oracle[f"{source}_uniforms"]) < masking_probabilities(sums, MaskConfig())
    np.testing.assert_array_equal(zeroed, oracle[f"{source}_zeroed"].astype(bool))
    np.testing.assert_array_equal(torch.where(zeroed, 0, x), oracle[f"{source}_masked"])


def test_classes_begin_at_their_thresholds() -> None:
    sums = torch.tensor([8.0, 0.79, 0.8, 2.39, 2.4, 0.0, -5.0], dtype=torch.float64)
    assert saliency_classes(sums, 0.1, 0.3).tolist() == [2, 0, 1, 1, 2, 0, 0]


def test_scaling_the_sums_changes_nothing() -> None:
    sums = torch.rand(200, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) ** 3
    np.testing.assert_array_equal(saliency_classes(1024 * sums, 0.1, 0.3), saliency_classes(sums, 0.1, 0.3))


@pytest.mark.parametrize("sums", [[-1.0, -2.0], [0.0, 0.0]])
def test_without_a_positive_sum_no_gene_is_salient(sums: list[float]) -> None:
    assert saliency_classes(torch.tensor(sums), 0.1, 0.3).tolist() == [0, 0]
    assert masking_probabilities(torch.tensor(sums), MaskConfig(p_other=0.25)).tolist() == [0.25, 0.25]


def test_settings_of_the_mask_are_used() -> None:
    sums = torch.tensor([10.0, 4.0, 1.0])
    mask = MaskConfig(moderate_from=0.2, salient_from=0.5, p_other=0.75, p_moderate=0.5, p_salient=0.25)
    assert masking_probabilities(sums, mask).tolist() == [0.25, 0.5, 0.75]


def cells_of(**settings: object) -> tuple[Cells, Inputs]:
    config = ScSamacConfig(n_top_genes="all", **settings)  # type: ignore[arg-type]
    inputs = make_inputs(toy_counts(80, 120), config, None)
    return Cells(inputs, config, RunContext(0)), inputs


def test_genes_are_masked_as_often_as_their_class_says() -> None:
    cells, inputs = cells_of()
    classes = saliency_classes(torch.tensor(inputs.log_norm_sums), 0.1, 0.3)
    masked = torch.zeros(cells.n_genes)
    for _ in range(2000):
        drawn = torch.ones(cells.n_genes)
        drawn[cells.visible_genes(torch.empty(0))] = 0
        masked += drawn
    for group, p in enumerate((0.6, 0.3, 0.1)):
        n_draws = 2000 * int((classes == group).sum())
        assert n_draws > 0
        share = float(masked[classes == group].sum()) / n_draws
        assert abs(share - p) < 3 * (p * (1 - p) / n_draws) ** 0.5
    expected = sum(p * float((classes == group).double().mean()) for group, p in enumerate((0.6, 0.3, 0.1)))
    assert cells.masked_share == pytest.approx(expected)


@pytest.mark.parametrize("source", ["log_norm", "counts", "scaled_batch"])
def test_saliency_comes_from_its_source(source: str) -> None:
    cells, inputs = cells_of(saliency=source, mask=MaskConfig(p_other=1.0, p_moderate=0.0, p_salient=0.0))
    x = cells.scaled(cells.batch(torch.arange(10)))
    sums = {
        "log_norm": torch.tensor(inputs.log_norm_sums),
        "counts": torch.tensor(inputs.count_sums),
        "scaled_batch": x.sum(dim=0),
    }[source]
    visible = torch.nonzero(saliency_classes(sums, 0.1, 0.3) > 0)[:, 0]
    assert 0 < len(visible) < cells.n_genes
    np.testing.assert_array_equal(cells.visible_genes(x), visible)
    assert (cells.masked_share is None) == (source == "scaled_batch")
