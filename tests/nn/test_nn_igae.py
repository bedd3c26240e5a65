from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from scbench.nn.igae import GraphLayers
from scbench.nn.propagate import SparseGraph

ORACLE = Path(__file__).parents[1] / "oracles/scsiameseclu/igae.npz"


def test_gives_the_recorded_layers_and_propagated_copies() -> None:
    oracle = {name: torch.tensor(value) for name, value in np.load(ORACLE).items()}
    graph = SparseGraph(csr_matrix(oracle["adj"].numpy()))
    encoder = GraphLayers([100, 128, 256, 20], tanh_last=False)
    decoder = GraphLayers([20, 256, 128, 100], tanh_last=True)
    with torch.no_grad():
        for layers, part, numbers in ((encoder, "encoder", (1, 2, 3)), (decoder, "decoder", (4, 5, 6))):
            for weight, number in zip(layers.weights, numbers, strict=True):
                weight.copy_(oracle[f"w:gae.{part}.gnn_{number}.weight"])
        encoded = encoder(oracle["X"], graph, propagated=True)
        decoded = decoder(encoded[-1].values, graph, propagated=True)
    for outputs, names in ((encoded, ("enc_z1", "enc_z2", "enc_z")), (decoded, ("dec_z1", "dec_z2", "dec_x_hat"))):
        for output, name in zip(outputs, names, strict=True):
            torch.testing.assert_close(output.values, oracle[name], rtol=1e-4, atol=1e-5)
    for outputs, prefix in ((encoded, "enc_az"), (decoded, "dec_az")):
        for i, output in enumerate(outputs):
            torch.testing.assert_close(output.propagated, oracle[f"{prefix}{i + 1}"], rtol=1e-4, atol=1e-5)
    for output, name in ((encoded[-1], "enc_adj_hat"), (decoded[-1], "dec_adj_hat")):
        estimate = torch.sigmoid(output.values @ output.values.T)
        torch.testing.assert_close(estimate, oracle[name], rtol=1e-4, atol=1e-5)


def test_copies_come_only_when_asked_for() -> None:
    layers = GraphLayers([3, 4, 2], tanh_last=True)
    graph = SparseGraph(csr_matrix(np.eye(5, dtype=np.float32)))
    x = torch.randn(5, 3)
    plain, with_copies = layers(x, graph), layers(x, graph, propagated=True)
    assert all(layer.propagated is None for layer in plain)
    for a, b in zip(plain, with_copies, strict=True):
        torch.testing.assert_close(a.values, b.values)
        torch.testing.assert_close(b.propagated, b.values)


def test_weights_are_xavier_uniform() -> None:
    weight = GraphLayers([200, 100, 10], tanh_last=True).weights[0]
    bound = (6 / 300) ** 0.5
    assert weight.abs().max() <= bound
    assert weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.03)


def test_too_few_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="input and output width"):
        GraphLayers([3], tanh_last=True)
