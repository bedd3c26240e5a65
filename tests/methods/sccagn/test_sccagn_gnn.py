from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scbench_methods.sccagn.gnn import LAYERS, CellGraph, GatLayer, GcnLayer, SageLayer
from scipy.sparse import csr_matrix

from scbench.graph.neighbours import knn_graph
from scbench.nn.propagate import SparseGraph
from scbench.testing import toy_counts

ORACLES = Path(__file__).parents[2] / "oracles" / "sccagn"


def dense_layer(layer: torch.nn.Module, x: torch.Tensor, adjacency: torch.Tensor, norm: str) -> torch.Tensor:
    """Return the layer as its equation is written, with n x n arrays."""
    n = len(x)
    looped = adjacency + torch.eye(n, dtype=x.dtype)
    if isinstance(layer, GcnLayer):
        degree = looped.sum(dim=1)
        scaled = looped / degree[:, None] if norm == "row" else looped / (degree[:, None] * degree[None]).sqrt()
        return scaled @ x @ layer.weight
    if isinstance(layer, SageLayer):
        mean = adjacency / adjacency.sum(dim=1, keepdim=True).clamp(min=1)
        return mean @ x @ layer.neighbours + x @ layer.itself
    assert isinstance(layer, GatLayer)
    h = x @ layer.weight
    scores = torch.nn.functional.leaky_relu(h @ layer.target + (h @ layer.source).T, 0.2)
    return scores.masked_fill(looped == 0, -torch.inf).softmax(dim=1) @ h


def setting(norm: str = "sym") -> tuple[torch.Tensor, torch.Tensor, CellGraph]:
    gen = torch.Generator().manual_seed(0)
    near = torch.rand(15, 15, generator=gen) < 0.2
    near = (near | near.T) & ~torch.eye(15, dtype=torch.bool)
    near[3], near[:, 3] = False, False
    x = torch.randn(15, 6, generator=gen, dtype=torch.float64)
    return x, near.double(), CellGraph(csr_matrix(near.float().numpy()), norm, dtype=torch.float64)


@pytest.mark.parametrize("norm", ["sym", "row"])
@pytest.mark.parametrize("kind", sorted(LAYERS))
def test_layers_and_their_gradients_are_those_of_the_equations(kind: str, norm: str) -> None:
    x, adjacency, graph = setting(norm)
    layer = LAYERS[kind](6, 4).double()
    slope = torch.randn(15, 4, dtype=torch.float64)
    inputs = [x.requires_grad_(), *layer.parameters()]
    found, expected = layer(x, graph), dense_layer(layer, x, adjacency, norm)
    # Normalised weights are stored in float32.
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    gradients = [torch.autograd.grad((out * slope).sum(), inputs) for out in (found, expected)]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("draw", [1, 2])
def test_the_convolution_agrees_with_the_oracle(draw: int) -> None:
    with np.load(ORACLES / f"gcn_layer_draw{draw}.npz") as o:
        layer = GcnLayer(*o["weight"].shape).double()
        layer.load_state_dict({"weight": torch.as_tensor(o["weight"])})
        graph = CellGraph(csr_matrix(o["adj"] > 0, dtype=np.float32), "row", dtype=torch.float64)
        graph.convolution = SparseGraph(csr_matrix(o["adj"]), dtype=torch.float64)
        found = layer(torch.as_tensor(o["x"]), graph)
        torch.testing.assert_close(found, torch.as_tensor(o["out_linear"]), rtol=1e-8, atol=1e-8)
        torch.testing.assert_close(found.relu(), torch.as_tensor(o["out_relu"]), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", sorted(LAYERS))
def test_layers_and_their_gradients_are_those_of_torch_geometric(kind: str, dtype: torch.dtype) -> None:
    pyg = pytest.importorskip("torch_geometric.nn")
    torch.manual_seed(0)
    x, adjacency = near_cells(dtype)
    layer = LAYERS[kind](x.shape[1], 5).to(dtype)
    theirs, names = {
        "gcn": (pyg.GCNConv, {"lin.weight": "weight"}),
        "gat": (pyg.GATConv, {"lin.weight": "weight", "att_src": "source", "att_dst": "target"}),
        "sage": (pyg.SAGEConv, {"lin_l.weight": "neighbours", "lin_r.weight": "itself"}),
    }[kind]
    oracle = theirs(x.shape[1], 5, bias=False).to(dtype)
    for name, own in names.items():
        parameter = oracle.get_parameter(name)
        parameter.data = layer.get_parameter(own).data.T.reshape(parameter.shape)
    edges = torch.as_tensor(np.stack(adjacency.nonzero()), dtype=torch.int64)
    found, expected = layer(x, CellGraph(adjacency, "sym", dtype=dtype)), oracle(x, edges)
    assert_near(found, expected)
    slope = torch.randn(found.shape, dtype=dtype)
    expected_slopes = torch.autograd.grad((expected * slope).sum(), [oracle.get_parameter(name) for name in names])
    found_slopes = torch.autograd.grad((found * slope).sum(), [layer.get_parameter(own) for own in names.values()])
    for one, other in zip(found_slopes, expected_slopes, strict=True):
        assert_near(one, other.reshape(one.T.shape).T)


def near_cells(dtype: torch.dtype) -> tuple[torch.Tensor, csr_matrix]:
    """Return simulated cells (200, 300) and their graph of ten neighbours."""
    x = np.log1p(toy_counts().matrix.toarray()).astype(np.float64)
    return torch.as_tensor(x, dtype=dtype), knn_graph(x, 10, symmetrize="max")


def assert_near(found: torch.Tensor, expected: torch.Tensor) -> None:
    """Check that no entry is off by more than 1e-6 of the largest, in float32 1e-5: sums over cells differ in order."""
    share = 1e-6 if found.dtype == torch.float64 else 1e-5
    torch.testing.assert_close(found, expected, rtol=0, atol=share * float(expected.detach().abs().max()))


@pytest.mark.parametrize("kind", sorted(LAYERS))
def test_strangers_see_only_themselves(kind: str) -> None:
    x, _, graph = setting()
    layer = LAYERS[kind](6, 4).float()
    alone = layer(x.float(), CellGraph.of_strangers(15, "sym"))
    torch.testing.assert_close(alone, x.float() @ (layer.itself if kind == "sage" else layer.weight))
    here = CellGraph(graph._adjacency, "sym")
    torch.testing.assert_close(layer(x.float(), here)[3], alone[3])  # cell 3 has no neighbour
    assert not torch.allclose(layer(x.float(), here), alone)
