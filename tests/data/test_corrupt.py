from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from scbench.data.config import Corruption, SimulatedDataset
from scbench.data.corrupt import corrupted
from scbench.data.labelled import LabelledCounts
from scbench.data.load import open_dataset
from scbench.data.origin import find_origin
from scbench.errors import ConfigError


def content(n: int = 50, genes: int = 40) -> LabelledCounts:
    rng = np.random.default_rng(0)
    matrix = csr_matrix(rng.poisson(1.0, (n, genes)).astype(np.float32))
    return LabelledCounts(matrix, np.array(["a", "b"] * (n // 2), dtype=object))


@pytest.mark.parametrize("dropout", [0.05, 0.25, 0.9])
def test_the_given_share_of_entries_is_lost(dropout: float) -> None:
    whole = content()
    before = whole.matrix.copy()
    damaged = corrupted(whole, Corruption(dropout)).matrix
    assert damaged.nnz == before.nnz - round(dropout * before.nnz)
    assert (whole.matrix != before).nnz == 0
    kept = damaged.toarray() != 0
    np.testing.assert_array_equal(damaged.toarray()[kept], before.toarray()[kept])


def test_losses_are_uniform_over_entries() -> None:
    whole = content(400, 100)
    lost = whole.matrix.toarray() - corrupted(whole, Corruption(0.3)).matrix.toarray()
    for value in (1, 2, 3):
        share = (lost == value).sum() / (whole.matrix.toarray() == value).sum()
        assert share == pytest.approx(0.3, abs=0.03)


def test_the_seed_decides_which() -> None:
    first, again, other = (corrupted(content(), Corruption(0.3, seed)).matrix for seed in (0, 0, 1))
    assert (first != again).nnz == 0
    assert (first != other).nnz > 0


def test_a_stored_zero_is_no_entry() -> None:
    matrix = csr_matrix((np.array([0, 1, 1], dtype=np.float32), [0, 1, 2], [0, 3]), shape=(1, 3))
    assert corrupted(LabelledCounts(matrix, None), Corruption(0.5)).matrix.nnz == 1


def test_a_damaged_dataset_has_a_name_and_a_key_of_its_own(tmp_path: Path) -> None:
    plain = SimulatedDataset(name="simulated", n_cells=60, n_genes=50, n_types=3)
    damaged, reseeded = (
        SimulatedDataset(name="simulated", n_cells=60, n_genes=50, n_types=3, corrupt=Corruption(0.125, seed))
        for seed in (0, 2)
    )
    opened = [open_dataset(config) for config in (plain, damaged, reseeded)]
    assert [dataset.name for dataset in opened] == ["simulated", "simulated-dropout12.5", "simulated-dropout12.5-s2"]
    assert "corrupt" not in opened[0].preprocessing
    assert opened[1].preprocessing["corrupt"] == {"dropout": 0.125, "seed": 0}
    nnz = [dataset.counts().matrix.nnz for dataset in opened]
    assert nnz[1] == nnz[2] == nnz[0] - round(0.125 * nnz[0])
    np.testing.assert_array_equal(opened[0].labels(), opened[1].labels())


def test_no_damage_leaves_the_origin_as_it_is() -> None:
    plain = SimulatedDataset(name="simulated")
    assert find_origin(plain).name == "simulated"


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"dropout": 1.0}, r"dropout must be in \[0, 1\), got 1.0"), ({"seed": -1}, "seed must be at least 0, got -1")],
)
def test_damage_that_cannot_be_is_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Corruption(**settings)  # type: ignore[arg-type]
