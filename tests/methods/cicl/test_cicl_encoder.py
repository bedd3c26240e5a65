"""Encoder: oracles, real attention over one token, and the order of products."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scbench_methods.cicl import encoder as encoder_module
from scbench_methods.cicl.encoder import Encoder, EncoderBlock
from torch import Tensor
from torch.nn.functional import layer_norm, linear

ORACLES = Path(__file__).parents[2] / "oracles" / "cicl"
NAMES = {"v": "values", "o": "output", "ffn1": "hidden", "ffn2": "back", "ln1": "norm_attention", "ln2": "norm_ffn"}


def oracle(name: str) -> dict[str, Tensor]:
    with np.load(ORACLES / f"{name}.npz") as file:
        return {key: torch.from_numpy(np.asarray(file[key])) for key in file.files}


def own_name(name: str) -> str:
    """Name of a parameter here, from its name in an oracle without prefix; queries and keys have none."""
    if name.startswith("final_ln"):
        return name.replace("final_ln", "norm")
    layer, part, kind = name.split(".")
    return f"blocks.{layer.removeprefix('layer')}.{NAMES[part]}.{kind}"


def load(encoder: Encoder, weights: dict[str, Tensor], prefix: str) -> None:
    wanted = {
        own_name(key.removeprefix(prefix)): value
        for key, value in weights.items()
        if key.startswith(prefix) and ".q." not in key and ".k." not in key
    }
    encoder.load_state_dict(wanted)


def small(**options: Any) -> Encoder:
    torch.manual_seed(0)
    given = {"width": 6, "n_layers": 2, "value_width": 10, "ffn_width": 8, "dropout_rate": 0.2}
    given |= {"residual": "double", "block_init": "independent"} | options
    return Encoder(**given, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", ["encoder_layers1", "encoder_layers4"])
def test_representations_are_those_of_the_oracle(name: str) -> None:
    o = oracle(name)
    value_width = int(o["heads"] * o["v_dim"])
    encoder = Encoder(
        12, int(o["layers"]), value_width, int(o["ffn"]), 0.2, torch.Generator(), "double", "independent"
    ).eval()
    load(encoder, o, "w::")
    torch.testing.assert_close(encoder(o["x"][:, 0]), o["h"], rtol=0, atol=2e-5)


@pytest.mark.parametrize("name", ["encoder_layers1", "encoder_layers4"])
def test_without_queries_and_keys_the_block_is_attention_over_one_token(name: str) -> None:
    """Scaled dot-product attention with the oracle's queries and keys, written out, gives the same."""
    o = oracle(name)
    heads, k_dim, v_dim = (int(o[key]) for key in ("heads", "k_dim", "v_dim"))
    y = o["x"]
    for layer in range(int(o["layers"])):
        w = {key.removeprefix(f"w::layer{layer}."): value for key, value in o.items() if f"layer{layer}." in key}
        q, k, v = (linear(y, w[f"{part}.weight"]) for part in "qkv")
        q, k = (part.view(24, 1, heads, k_dim).transpose(1, 2) for part in (q, k))
        attended = torch.softmax(q @ k.transpose(2, 3) / k_dim**0.5, dim=-1) @ v.view(24, 1, heads, v_dim).transpose(
            1, 2
        )
        a = layer_norm(linear(attended.transpose(1, 2).reshape(24, 1, -1), w["o.weight"]) + y, (12,))
        u = layer_norm(y + a, (12,), w["ln1.weight"], w["ln1.bias"])
        ffn = linear(linear(u, w["ffn1.weight"], w["ffn1.bias"]).relu(), w["ffn2.weight"], w["ffn2.bias"])
        y = layer_norm(u + ffn, (12,), w["ln2.weight"], w["ln2.bias"])
    found = layer_norm(y, (12,), o["w::final_ln.weight"], o["w::final_ln.bias"])[:, 0]
    torch.testing.assert_close(found, o["h"], rtol=0, atol=2e-5)


@pytest.mark.parametrize(("n_cells", "is_multiplied_first"), [(2, False), (200, True)])
def test_both_orders_of_the_products_give_the_same(n_cells: int, is_multiplied_first: bool) -> None:
    block = EncoderBlock(6, 10, 8, 0.0, torch.Generator(), "double").double()
    x = torch.randn(n_cells, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    product = block.attention_map(n_cells)
    assert (product is not None) is is_multiplied_first
    torch.testing.assert_close(block(x, product), block(x), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(block(x, block.attention_map(200)), block(x), rtol=1e-12, atol=1e-12)


def test_the_cheaper_order_is_chosen_by_its_multiplications() -> None:
    block = EncoderBlock(6, 10, 8, 0.0, torch.Generator(), "double")
    for n_cells in range(1, 60):
        by_product, by_cell = 6 * 10 * 6 + n_cells * 6 * 6, n_cells * 2 * 6 * 10
        assert (block.attention_map(n_cells) is None) is (by_product > by_cell)


def test_pieces_of_cells_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    net = small(dropout_rate=0.0).double()
    x = torch.randn(9, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    whole = net(x)
    monkeypatch.setattr(encoder_module, "_CELLS_AT_ONCE", 4)
    in_pieces = net(x)
    torch.testing.assert_close(in_pieces, whole)
    weights = [*net.parameters()]
    for a, b in zip(
        torch.autograd.grad(whole.sum(), weights), torch.autograd.grad(in_pieces.sum(), weights), strict=True
    ):
        torch.testing.assert_close(a, b)


def test_every_weight_gets_the_gradient_of_finite_differences() -> None:
    encoder = small(dropout_rate=0.0).double()
    x = torch.randn(3, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    names = [name for name, _ in encoder.named_parameters()]
    values = tuple(parameter.detach().requires_grad_() for parameter in encoder.parameters())

    def represent(*weights: Tensor) -> Tensor:
        return torch.func.functional_call(encoder, dict(zip(names, weights, strict=True)), (x,))

    assert torch.autograd.gradcheck(represent, values)


def test_the_single_residual_is_the_plain_post_norm_block() -> None:
    block = EncoderBlock(6, 10, 8, 0.0, torch.Generator(), residual="single")
    x = torch.randn(5, 6, generator=torch.Generator().manual_seed(0))
    u = block.norm_attention(x + block.output(block.values(x)))
    expected = block.norm_ffn(u + block.back(block.hidden(u).relu()))
    torch.testing.assert_close(block(x), expected)
    double = EncoderBlock(6, 10, 8, 0.0, torch.Generator(), "double")
    double.load_state_dict(block.state_dict())
    assert not torch.allclose(double(x), expected, atol=1e-3)


def test_blocks_start_as_copies_only_when_asked_to() -> None:
    for block_init, are_equal in (("independent", False), ("copies", True)):
        first, second = small(block_init=block_init).blocks
        assert torch.equal(first.values.weight, second.values.weight) is are_equal
        assert first.values.weight.data_ptr() != second.values.weight.data_ptr()


def test_dropout_acts_in_training_only_and_input_stays() -> None:
    encoder = small()
    x = torch.randn(9, 6, generator=torch.Generator().manual_seed(0))
    before = x.clone()
    assert not torch.equal(encoder(x), encoder(x))
    encoder.eval()
    assert torch.equal(encoder(x), encoder(x))
    assert torch.equal(x, before)


def test_cells_do_not_see_each_other() -> None:
    encoder = small().eval()
    x = torch.randn(9, 6, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(encoder(x)[3:5], encoder(x[3:5]), rtol=1e-4, atol=1e-5)


def test_no_attention_kernel_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("attention over one token needs no kernel")

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", refuse)
    monkeypatch.setattr(torch.nn.functional, "multi_head_attention_forward", refuse)
    with torch.profiler.profile() as seen:
        small()(torch.ones(3, 6)).sum().backward()
    names = {event.key for event in seen.key_averages()}
    assert any("addmm" in name or "linear" in name for name in names)
    assert not any("attention" in name or "softmax" in name for name in names)


def test_parameters_are_as_many_as_without_queries_and_keys() -> None:
    """At width 500 the released program has 12.30 million, of which queries and keys, 4.10 million, are dead."""
    encoder = Encoder(500, 4, 1024, 1024, 0.2, torch.Generator(), "double", "independent")
    n_live = sum(parameter.numel() for parameter in encoder.parameters())
    assert n_live == 4 * (2 * 500 * 1024 + (500 * 1024 + 1024) + (1024 * 500 + 500) + 4 * 500) + 2 * 500
    assert n_live + 4 * 2 * 500 * 1024 == pytest.approx(12.30e6, abs=5e3)
