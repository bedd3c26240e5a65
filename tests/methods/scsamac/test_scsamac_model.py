"""The network and both objectives against the oracles, with the oracles' weights."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scbench_methods.scsamac.clustering import ClusterTraining
from scbench_methods.scsamac.config import MaskConfig, ScSamacConfig
from scbench_methods.scsamac.model import Network
from scbench_methods.scsamac.pretraining import pretrain_losses
from scbench_methods.scsamac.saliency import masking_probabilities
from scipy.sparse import csr_matrix
from torch import nn

from scbench.method import RunContext
from scbench.nn.cell_attention import CellAttention
from scbench.nn.sparse_counts import SparseCounts

ORACLES = Path(__file__).parents[2] / "oracles/scsamac"
LAYERS = {"enc1": "wide", "enc2": "narrow", "latent": "latent", "mean": "heads.mean", "disp": "heads.disp"}


def load(name: str, draw: int) -> dict[str, torch.Tensor]:
    return {key: torch.tensor(value) for key, value in np.load(ORACLES / f"{name}_{draw}.npz").items()}


def fill(layer: nn.Linear, weight: torch.Tensor, bias: torch.Tensor) -> None:
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)


def network_of(oracle: dict[str, torch.Tensor]) -> Network:
    wide, genes = oracle["enc1_w"].shape
    network = Network(genes, "nb", 8, 0.1, wide_width=wide).double().eval()
    for name, path in LAYERS.items():
        fill(network.get_submodule(path), oracle[f"{name}_w"], oracle[f"{name}_b"])  # type: ignore[arg-type]
    fill(network.decoder[0], oracle["dec1_w"], oracle["dec1_b"])  # type: ignore[arg-type]
    fill(network.decoder[2], oracle["dec2_w"], oracle["dec2_b"])  # type: ignore[arg-type]
    for width, block in ((64, network.hidden_attention), (32, network.latent_attention)):
        assert isinstance(block, CellAttention)
        stacked = [torch.cat([oracle[f"att{width}_{kind}{part}"] for part in "qkv"]) for kind in "wb"]
        fill(block.project, stacked[0], stacked[1])
        fill(block.combine, oracle[f"att{width}_wo"], oracle[f"att{width}_bo"])
    return network


@pytest.mark.parametrize("draw", [0, 1])
def test_every_layer_is_that_of_the_oracle(draw: int) -> None:
    oracle = load("autoencoder", draw)
    network = network_of(oracle)
    close = {"rtol": 1e-6, "atol": 1e-9}
    hidden = network.hidden(network.wide(oracle["x"]))
    attended = network.hidden_attention(hidden)
    latent = network.attend(hidden)
    torch.testing.assert_close(hidden, oracle["hidden64"], **close)
    torch.testing.assert_close(attended, oracle["after_attention64"], **close)
    torch.testing.assert_close(network.latent(attended), oracle["latent_before_attention"], **close)
    torch.testing.assert_close(latent, oracle["z"], **close)
    decoded = network.decoder(latent)
    torch.testing.assert_close(decoded, oracle["decoded"], **close)
    mean, disp, pi = network.heads(decoded)
    torch.testing.assert_close(mean, oracle["mean"], **close)
    torch.testing.assert_close(disp, oracle["disp"], **close)
    assert pi is None


def test_attending_to_named_cells_is_attending_to_those() -> None:
    oracle = load("autoencoder", 0)
    network = network_of(oracle)
    hidden = network.hidden(network.wide(oracle["x"]))
    torch.testing.assert_close(network.attend(hidden, torch.arange(14)), network.attend(hidden))
    alone = network.attend(hidden[:9])
    torch.testing.assert_close(network.attend(hidden, torch.arange(9))[:9], alone)


class OracleCells:
    """The inputs of the oracle's batch in the place of ``Cells``: no noise, and the oracle's uniforms for the mask."""

    def __init__(self, oracle: dict[str, torch.Tensor], **settings: Any) -> None:
        self.config = ScSamacConfig(variant="paper_code", noise_std=0.0, dropout=0.0, **settings)
        self.dtype, self.device = torch.float64, torch.device("cpu")
        self.n_cells = len(oracle["x"])
        self.taught = torch.arange(self.n_cells)
        self._oracle = oracle
        self._counts = SparseCounts(csr_matrix(oracle["counts"].numpy()), oracle["size_factors"])

    def batch(self, cells: torch.Tensor) -> Any:
        return self._counts.batch(cells)

    def scaled(self, batch: Any) -> torch.Tensor:
        return self._oracle["x"]

    def noisy(self, x: torch.Tensor) -> torch.Tensor:
        return x

    def visible_genes(self, x: torch.Tensor) -> torch.Tensor:
        seen = self._oracle["uniforms"] >= masking_probabilities(x.sum(dim=0), MaskConfig())
        torch.testing.assert_close(x * seen, self._oracle["x_masked"])
        return torch.nonzero(seen)[:, 0]

    def wide_products(self) -> nullcontext[None]:
        return nullcontext()


@pytest.mark.parametrize("draw", [0, 1])
def test_the_objective_of_pretraining_is_that_of_the_oracle(draw: int) -> None:
    oracle = load("objectives", draw)
    network, cells = network_of(oracle), OracleCells(oracle)
    terms = pretrain_losses(network, cells, cells.taught)  # type: ignore[arg-type]
    torch.testing.assert_close(terms["nb"], oracle["nb"], rtol=1e-6, atol=0)
    torch.testing.assert_close(terms["contrast"], oracle["contrast"], rtol=1e-6, atol=0)
    total = terms["nb"] + cells.config.contrast_weight * terms["contrast"]
    torch.testing.assert_close(total, oracle["pretrain_total_code"], rtol=1e-6, atol=0)
    paper = terms["nb"] + ScSamacConfig().contrast_weight * terms["contrast"]
    torch.testing.assert_close(paper, oracle["pretrain_total_paper"], rtol=1e-6, atol=0)
    total.backward()
    close = {"rtol": 1e-5, "atol": 1e-9}
    torch.testing.assert_close(network.wide.weight.grad, oracle["pretrain_grad_enc1_w"], **close)
    projected = network.latent_attention.project.weight.grad
    assert projected is not None
    torch.testing.assert_close(projected[:32], oracle["pretrain_grad_att32_wq"], **close)


@pytest.mark.parametrize("draw", [0, 1])
def test_the_objective_of_clustering_is_that_of_the_oracle(draw: int) -> None:
    oracle = load("objectives", draw)
    network, cells = network_of(oracle), OracleCells(oracle)
    training = ClusterTraining(network, None, cells, oracle["centers"].numpy(), RunContext(0))  # type: ignore[arg-type]
    training._target = oracle["target_p"]
    heads = [nn.Linear(32, 4).double() for _ in "AB"]
    for head, name in zip(heads, "AB", strict=True):
        fill(head, oracle[f"head{name}_w"], oracle[f"head{name}_b"])
    training._new_head = lambda: heads.pop(0)  # type: ignore[method-assign]
    terms = training.losses(cells.taught)
    for ours, theirs in (("nb", "nb_cluster"), ("wasserstein",) * 2, ("soft_kmeans", "soft_k"), ("cluster_level",) * 2):
        torch.testing.assert_close(terms[ours].detach(), oracle[theirs], rtol=1e-6, atol=1e-10)
    assert not terms["wasserstein"].requires_grad
    assert not terms["cluster_level"].requires_grad
    weighted = {"nb": 1.0, "wasserstein": 1.0, "soft_kmeans": 0.001, "cluster_level": 0.002}
    total = torch.stack([weight * terms[name] for name, weight in weighted.items()]).sum()
    torch.testing.assert_close(total, oracle["cluster_total_code"], rtol=1e-6, atol=0)
    total.backward()
    torch.testing.assert_close(network.wide.weight.grad, oracle["cluster_grad_enc1_w"], rtol=1e-5, atol=1e-9)
    torch.testing.assert_close(training.centroids.grad, oracle["cluster_grad_centers"], rtol=1e-5, atol=1e-9)


def test_the_weights_of_the_program_are_used_in_its_variant() -> None:
    """Steps on the oracle's batch move the centroids along the oracle's slope: Adadelta's first step has its sign."""
    oracle = load("objectives", 0)
    cells = OracleCells(oracle)
    training = ClusterTraining(network_of(oracle), None, cells, oracle["centers"].numpy(), RunContext(0))  # type: ignore[arg-type]
    training._target = oracle["target_p"]
    training._step(cells.taught)
    slope = oracle["cluster_grad_centers"]
    expected = -slope * (1e-6**0.5) / (0.05 * slope.square() + 1e-6).sqrt()
    torch.testing.assert_close(training.centroids.detach() - oracle["centers"], expected, rtol=1e-4, atol=1e-9)
