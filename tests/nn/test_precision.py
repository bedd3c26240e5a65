"""What wide products are computed in."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from scbench.nn import precision
from scbench.nn.precision import product_type, wide_products

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("facts", "vendor", "gains"),
    [
        ({"amx_bf16": True, "avx512_bf16": True}, "GenuineIntel", True),
        ({"amx_bf16": False, "avx512_bf16": True}, "GenuineIntel", False),
        ({"amx_bf16": False, "avx512_bf16": True}, "AuthenticAMD", True),
        ({"amx_bf16": False, "avx512_bf16": False}, "AuthenticAMD", False),
        ({"neon": True}, "", False),
    ],
)
def test_auto_follows_from_the_kind_of_processor(
    facts: dict[str, bool], vendor: str, gains: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told = tmp_path / "cpuinfo"
    told.write_text(f"processor\t: 0\nvendor_id\t: {vendor}\nmodel\t\t: 1\n" if vendor else "Features : fp asimd\n")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: facts)
    monkeypatch.setattr(precision, "_CPU_FACTS", told)
    precision._cpu_gains.cache_clear()
    try:
        assert product_type("auto", CPU) == (torch.bfloat16 if gains else torch.float32)
    finally:
        precision._cpu_gains.cache_clear()


def test_a_system_that_tells_nothing_has_no_vendor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(precision, "_CPU_FACTS", tmp_path / "missing")
    assert precision._vendor() == ""


def test_what_is_asked_for_is_taken() -> None:
    assert [product_type(name, CPU) for name in ("float32", "float64", "bfloat16")] == [
        torch.float32,
        torch.float64,
        torch.bfloat16,
    ]
    with pytest.raises(ValueError, match="precision must be auto"):
        product_type("half", CPU)


def test_products_are_rounded_only_in_bfloat16() -> None:
    a, b = torch.rand(8, 300, generator=torch.Generator().manual_seed(0)), torch.ones(300, 4)
    exact = a.double() @ b.double()
    with wide_products(CPU, torch.float32):
        assert torch.equal(a @ b, torch.mm(a, b))
    with wide_products(CPU, torch.bfloat16):
        rounded = a @ b
    assert rounded.dtype == torch.bfloat16
    # inputs and the result are rounded to 8 bits; the 300 terms are summed in float32, or the error would grow with them
    assert ((rounded.double() - exact).abs() / exact).max() < 2**-8 + 2**-8
    assert ((rounded.double() - exact).abs() / exact).max() > 1e-5
