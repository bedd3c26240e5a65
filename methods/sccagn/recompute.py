"""A function whose inner results are computed again for the gradient instead of being kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

__all__ = ["recomputed"]


def recomputed(function: Callable[..., Tensor], inputs: Sequence[Tensor], parameters: Sequence[Tensor] = ()) -> Tensor:
    """Return ``function(*inputs)``; only ``inputs`` are kept for its gradient.

    What ``torch.utils.checkpoint`` does, whose first call in a process imports torch's compiler: 3.5 s of processor
    time. There is no second derivative, and the function may draw no random numbers.

    Args:
        function: of tensors, to one tensor.
        inputs: its arguments.
        parameters: other tensors that it uses and that want a gradient.
    """
    result: Tensor = _Recomputed.apply(function, len(inputs), *inputs, *parameters)  # type: ignore[no-untyped-call]
    return result


class _Recomputed(torch.autograd.Function):
    """Keep the inputs alone."""

    @staticmethod
    def forward(ctx: Any, function: Callable[..., Tensor], n_inputs: int, *tensors: Tensor) -> Tensor:
        ctx.function, ctx.n_inputs = function, n_inputs
        ctx.save_for_backward(*tensors)
        return function(*tensors[:n_inputs])

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor | None, ...]:
        saved = ctx.saved_tensors
        wanted = [i for i, is_wanted in enumerate(ctx.needs_input_grad[2:]) if is_wanted]
        inputs = [
            part.detach().requires_grad_(i in wanted) if i < ctx.n_inputs else part for i, part in enumerate(saved)
        ]
        with torch.enable_grad():
            # As a number: torch imports its compiler when it is handed the gradient of anything else.
            result = (ctx.function(*inputs[: ctx.n_inputs]) * outputs[0]).sum()
        found = iter(torch.autograd.grad(result, [inputs[i] for i in wanted], allow_unused=True))
        return None, None, *(next(found) if i in wanted else None for i in range(len(saved)))
