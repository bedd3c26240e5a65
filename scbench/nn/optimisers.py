"""Adam, Adamax and Adadelta through torch's own functions, without the classes that import torch's compiler."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.optim.adadelta import adadelta
from torch.optim.adam import adam
from torch.optim.adamax import adamax

__all__ = ["Adadelta", "Adam", "Adamax", "Optimiser", "ParameterGroup"]

_Parameters = Iterable[Tensor] | Iterable["ParameterGroup"]


@dataclass
class ParameterGroup:
    """Parameters that share their settings.

    Attributes:
        parameters: changed in place; leaves that take gradients.
        lr: learning rate; may be changed between steps.
        weight_decay: L2 added to the gradient.
    """

    parameters: Sequence[Tensor]
    lr: float
    weight_decay: float = 0.0


class Optimiser:
    """What a training loop needs of a ``torch.optim.Optimizer``, with the same results to the last bit.

    The first ``torch.optim`` object of a process imports torch's compiler, which costs each process 1.5 s and 70 MiB
    and is of no use here. The functions that these classes call do not.

    Args:
        update: takes parameters, gradients, ``n_moments`` lists of moments and the numbers of steps, and the keywords
            ``lr`` and ``weight_decay``; changes all but the gradients.
        n_moments: tensors kept for each parameter, zero before its first step.
        parameters: one group of them, with ``lr``; or groups, each with its own.
        lr: of the one group.
        weight_decay: of the one group.
        counts_on_device: whether numbers of steps lie where their parameter does, as fused functions want it.

    Attributes:
        groups: of parameters.

    Raises:
        ValueError: when there are no parameters, or some are in more than one group.
    """

    def __init__(
        self,
        update: Callable[..., None],
        n_moments: int,
        parameters: _Parameters,
        lr: float,
        weight_decay: float,
        *,
        counts_on_device: bool = False,
    ) -> None:
        given = list(parameters)
        groups = [entry for entry in given if isinstance(entry, ParameterGroup)]
        self.groups = groups or [ParameterGroup([p for p in given if isinstance(p, Tensor)], lr, weight_decay)]
        everything = [parameter for group in self.groups for parameter in group.parameters]
        if not everything or len({id(parameter) for parameter in everything}) < len(everything):
            raise ValueError(f"an optimiser needs parameters, each of them once; got {len(everything)} in all")
        self._update, self._n_moments, self._counts_on_device = update, n_moments, counts_on_device
        self._state: dict[Tensor, list[Tensor]] = {}

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for group in self.groups:
            for parameter in group.parameters:
                parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Change the parameters that have a gradient."""
        for group in self.groups:
            taught = [parameter for parameter in group.parameters if parameter.grad is not None]
            if taught:
                gradients = [parameter.grad for parameter in taught]
                state = map(list, zip(*map(self._state_of, taught), strict=True))
                self._update(taught, gradients, *state, lr=group.lr, weight_decay=group.weight_decay)

    def _state_of(self, parameter: Tensor) -> list[Tensor]:
        """Return the moments of a parameter and its number of steps, made when first asked for."""
        if parameter not in self._state:
            steps = torch.zeros((), device=parameter.device if self._counts_on_device else "cpu")
            self._state[parameter] = [*(torch.zeros_like(parameter) for _ in range(self._n_moments)), steps]
        return self._state[parameter]


class Adam(Optimiser):
    """Adam (Kingma & Ba 2015) with torch's betas and eps.

    Args:
        parameters, lr, weight_decay: see :class:`Optimiser`.
        amsgrad: divide by the largest second moment so far (Reddi et al. 2018).
        fused: one call for all tensors of a group, in one pass through memory.
    """

    def __init__(
        self,
        parameters: _Parameters,
        lr: float = 1e-3,
        weight_decay: float = 0.0,
        *,
        amsgrad: bool = False,
        fused: bool = True,
    ) -> None:
        update = partial(_adam, amsgrad=amsgrad, fused=fused, foreach=False if fused else None)
        super().__init__(update, 3 if amsgrad else 2, parameters, lr, weight_decay, counts_on_device=fused)


def _adam(
    parameters: list[Tensor],
    gradients: list[Tensor],
    mean: list[Tensor],
    mean_square: list[Tensor],
    *largest_and_steps: list[Tensor],
    **settings: Any,
) -> None:
    """Call torch's function, which wants an empty list where there are no largest second moments."""
    *largest, steps = largest_and_steps
    largest_mean_square = largest[0] if largest else []
    settings |= {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "maximize": False}
    adam(parameters, gradients, mean, mean_square, largest_mean_square, steps, **settings)


class Adamax(Optimiser):
    """Adamax (Kingma & Ba 2015, algorithm 2) with torch's betas and eps. For one flat vector, see ``FlatAdamax``.

    Args:
        parameters, lr, weight_decay: see :class:`Optimiser`.
    """

    def __init__(self, parameters: _Parameters, lr: float = 1e-3, weight_decay: float = 0.0) -> None:
        super().__init__(partial(adamax, beta1=0.9, beta2=0.999, eps=1e-8), 2, parameters, lr, weight_decay)


class Adadelta(Optimiser):
    """Adadelta (Zeiler 2012).

    Args:
        parameters, lr, weight_decay: see :class:`Optimiser`.
        rho: decay of the averages of squares.
        eps: added to both averages under their root.
    """

    def __init__(
        self,
        parameters: _Parameters,
        lr: float = 1.0,
        weight_decay: float = 0.0,
        *,
        rho: float = 0.9,
        eps: float = 1e-6,
    ) -> None:
        super().__init__(partial(adadelta, rho=rho, eps=eps, maximize=False), 2, parameters, lr, weight_decay)
