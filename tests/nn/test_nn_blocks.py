from typing import Any

import pytest
import torch
from torch import nn

from scbench.nn.blocks import GaussianNoise, mlp


def kinds(net: nn.Sequential) -> list[str]:
    return [type(layer).__name__ for layer in net]


def test_last_layer_is_bare_unless_asked() -> None:
    assert kinds(mlp([4, 3, 2])) == ["Linear", "ReLU", "Linear"]
    assert kinds(mlp([4, 3, 2], act_last=True)) == ["Linear", "ReLU", "Linear", "ReLU"]
    assert kinds(mlp([4, 3, 2], "identity")) == ["Linear", "Linear"]


def test_norm_comes_before_activation_and_dropout_after() -> None:
    for norm, name in (("batch", "BatchNorm1d"), ("layer", "LayerNorm")):
        net = mlp([4, 3, 2], "tanh", norm=norm, dropout=0.2)  # type: ignore[arg-type]
        assert kinds(net) == ["Linear", name, "Tanh", "Dropout", "Linear"]


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        ("relu", [0.0, 2.0]),
        ("leaky_relu", [-0.2, 2.0]),
        ("tanh", [-0.7615942, 0.9640276]),
        ("mish", [-0.3034015, 1.9439590]),
        ("selu", [-1.1113307, 2.1014020]),
        ("identity", [-1.0, 2.0]),
    ],
)
def test_activations(act: Any, expected: list[float]) -> None:
    net = mlp([1, 1], act, act_last=True)
    with torch.no_grad():
        net[0].weight.fill_(1)
        net[0].bias.fill_(0)
    torch.testing.assert_close(net(torch.tensor([[-1.0], [2.0]])).ravel(), torch.tensor(expected))


def test_noise_is_active_in_training_only() -> None:
    noise = GaussianNoise(0.5)
    x = torch.ones(2000, 3)
    assert (noise(x) != x).any()
    assert float(noise(x).std()) == pytest.approx(0.5, rel=0.05)
    noise.eval()
    assert noise(x) is x


def test_relative_noise_keeps_zeros() -> None:
    x = torch.tensor([[0.0, 2.0]]).repeat(4000, 1)
    out = GaussianNoise(0.1, relative=True)(x)
    assert (out[:, 0] == 0).all()
    assert float(out[:, 1].std()) == pytest.approx(0.2, rel=0.1)


def test_noise_follows_its_generator_and_leaves_the_global_one() -> None:
    x = torch.zeros(3, 2, dtype=torch.float64)
    state = torch.random.get_rng_state()
    one, two = (GaussianNoise(1.0, generator=torch.Generator().manual_seed(4))(x) for _ in range(2))
    torch.testing.assert_close(one, two, rtol=0, atol=0)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert one.dtype == torch.float64


def test_noise_stands_before_each_linear_layer() -> None:
    net = mlp([4, 3, 2], noise_std=1.0)
    assert kinds(net) == ["GaussianNoise", "Linear", "ReLU", "GaussianNoise", "Linear"]


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match=r"at least input and output width, got \[4\]"):
        mlp([4])
    with pytest.raises(ValueError, match=r"act must be one of relu, .*, got 'swish'"):
        mlp([4, 2], "swish")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="norm must be 'batch', 'layer' or None, got 'group'"):
        mlp([4, 2], norm="group")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="std must be at least 0, got -1"):
        GaussianNoise(-1)
