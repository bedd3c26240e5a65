"""What wide matrix products are computed in: float32, or bfloat16 where the processor gains from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import torch

__all__ = ["bfloat16_pays", "product_type", "wide_products"]

_CPU_FACTS = Path("/proc/cpuinfo")


def product_type(precision: str, device: torch.device) -> torch.dtype:
    """Return the type that wide products are computed in.

    Args:
        precision: "auto", "float32", "float64" or "bfloat16". "auto" is bfloat16 where :func:`bfloat16_pays`, else
            float32; it follows from the kind of processor alone, so a run on one machine can be repeated on it.
        device: of the products.

    Raises:
        ValueError: for another ``precision``.
    """
    fixed = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.bfloat16}
    if precision == "auto":
        return torch.bfloat16 if bfloat16_pays(device) else torch.float32
    if precision not in fixed:
        raise ValueError(f"precision must be auto or one of {', '.join(fixed)}, got {precision!r}")
    return fixed[precision]


def bfloat16_pays(device: torch.device) -> bool:
    """Return whether products in bfloat16 are faster than in float32 on this kind of device.

    On a CPU that is so with AMX, and with avx512_bf16 on AMD's (two dot products a cycle). Intel's avx512_bf16 without
    AMX, as virtual machines often show it, is half as fast as float32: 100 against 190 GFLOP/s in products of
    1644 x 500 x 1024 on one thread of a Xeon (family 6, model 207). The flag alone says nothing, and a measured rate
    would let the digits of a run depend on what else the machine is doing.
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and _cpu_gains()


@cache
def _cpu_gains() -> bool:
    """Return whether the processor multiplies faster in bfloat16."""
    facts = torch.cpu.get_capabilities()
    if facts.get("amx_bf16"):
        return True
    return bool(facts.get("avx512_bf16")) and _vendor() == "AuthenticAMD"


def _vendor() -> str:
    """Return the processor's vendor as it names itself; empty where the system does not tell."""
    try:
        lines = _CPU_FACTS.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("vendor_id")), "")


@contextmanager
def wide_products(device: torch.device, dtype: torch.dtype) -> Iterator[None]:
    """Compute matrix products in bfloat16 when that is ``dtype``; sums in them, and all else, stay in float32.

    Args:
        device: of the tensors.
        dtype: from :func:`product_type`; with another than bfloat16 nothing changes.
    """
    with torch.autocast(device.type, torch.bfloat16, enabled=dtype == torch.bfloat16):
        yield
