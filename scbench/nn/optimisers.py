"""Adam, Adamax and Adadelta through torch's own functions, without the classes that import torch's compiler."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim.adadelta import adadelta
from torch.optim.adam import adam
from torch.optim.adamax import adamax

__all__ = ["Adadelta", "Adam", "Adamax", "Optimiser", "ParameterGroup"]


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


class Optimiser(ABC):
    """What a training loop needs of a ``torch.optim.Optimizer``, with the same results to the last bit.

    The first ``torch.optim`` object of a process imports torch's compiler, which costs each process 1.5 s and 70 MiB
    and is of no use here. The functions that these classes call do not.

    Args:
        parameters: one group of them, with ``lr``; or groups, each with its own.
        lr: of the one group.
        weight_decay: of the one group.

    Attributes:
        groups: of parameters.

    Raises:
        ValueError: when there are no parameters, or some are in more than one group.
    """

    def __init__(
        self, parameters: Iterable[Tensor] | Iterable[ParameterGroup], lr: float = 1e-3, weight_decay: float = 0.0
    ) -> None:
        given = list(parameters)
        groups = [entry for entry in given if isinstance(entry, ParameterGroup)]
        self.groups = groups or [ParameterGroup([p for p in given if isinstance(p, Tensor)], lr, weight_decay)]
        everything = [parameter for group in self.groups for parameter in group.parameters]
        if not everything or len({id(parameter) for parameter in everything}) < len(everything):
            raise ValueError(f"an optimiser needs parameters, each of them once; got {len(everything)} in all")
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
                gradients = [parameter.grad for parameter in taught if parameter.grad is not None]
                steps, *moments = map(list, zip(*map(self._state_of, taught), strict=True))
                self._update(group, taught, gradients, steps, moments)

    def _state_of(self, parameter: Tensor) -> list[Tensor]:
        """Return the number of steps of a parameter and its moments, made when first asked for."""
        if parameter not in self._state:
            steps = torch.zeros((), device=parameter.device if self._counts_on_device() else "cpu")
            self._state[parameter] = [steps, *(torch.zeros_like(parameter) for _ in range(self._n_moments()))]
        return self._state[parameter]

    def _n_moments(self) -> int:
        """Return how many tensors are kept for each parameter, all zero before its first step."""
        return 2

    def _counts_on_device(self) -> bool:
        """Return whether the number of steps lies on the device of the parameter, as fused ones want it."""
        return False

    @abstractmethod
    def _update(
        self,
        group: ParameterGroup,
        parameters: list[Tensor],
        gradients: list[Tensor],
        steps: list[Tensor],
        moments: list[list[Tensor]],
    ) -> None:
        """Take one step."""


class Adam(Optimiser):
    """Adam (Kingma & Ba 2015) with torch's betas and eps.

    Args:
        parameters, lr, weight_decay: see :class:`Optimiser`.
        amsgrad: divide by the largest second moment so far (Reddi et al. 2018).
        fused: one call for all tensors of a group, in one pass through memory.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor] | Iterable[ParameterGroup],
        lr: float = 1e-3,
        weight_decay: float = 0.0,
        *,
        amsgrad: bool = False,
        fused: bool = True,
    ) -> None:
        super().__init__(parameters, lr, weight_decay)
        self._amsgrad, self._fused = amsgrad, fused

    def _n_moments(self) -> int:
        return 3 if self._amsgrad else 2

    def _counts_on_device(self) -> bool:
        return self._fused

    def _update(
        self,
        group: ParameterGroup,
        parameters: list[Tensor],
        gradients: list[Tensor],
        steps: list[Tensor],
        moments: list[list[Tensor]],
    ) -> None:
        mean, mean_square, *largest = moments
        adam(
            parameters,
            gradients,
            mean,
            mean_square,
            largest[0] if largest else [],
            steps,
            foreach=False if self._fused else None,
            fused=self._fused,
            amsgrad=self._amsgrad,
            beta1=0.9,
            beta2=0.999,
            lr=group.lr,
            weight_decay=group.weight_decay,
            eps=1e-8,
            maximize=False,
        )


class Adamax(Optimiser):
    """Adamax (Kingma & Ba 2015, algorithm 2) with torch's betas and eps. For one flat vector, see ``FlatAdamax``."""

    def _update(
        self,
        group: ParameterGroup,
        parameters: list[Tensor],
        gradients: list[Tensor],
        steps: list[Tensor],
        moments: list[list[Tensor]],
    ) -> None:
        mean, largest = moments
        adamax(
            parameters,
            gradients,
            mean,
            largest,
            steps,
            beta1=0.9,
            beta2=0.999,
            lr=group.lr,
            weight_decay=group.weight_decay,
            eps=1e-8,
        )


class Adadelta(Optimiser):
    """Adadelta (Zeiler 2012).

    Args:
        parameters, lr, weight_decay: see :class:`Optimiser`.
        rho: decay of the averages of squares.
        eps: added to both averages under their root.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor] | Iterable[ParameterGroup],
        lr: float = 1.0,
        weight_decay: float = 0.0,
        *,
        rho: float = 0.9,
        eps: float = 1e-6,
    ) -> None:
        super().__init__(parameters, lr, weight_decay)
        self._rho, self._eps = rho, eps

    def _update(
        self,
        group: ParameterGroup,
        parameters: list[Tensor],
        gradients: list[Tensor],
        steps: list[Tensor],
        moments: list[list[Tensor]],
    ) -> None:
        mean_square, mean_square_change = moments
        adadelta(
            parameters,
            gradients,
            mean_square,
            mean_square_change,
            steps,
            lr=group.lr,
            rho=self._rho,
            eps=self._eps,
            weight_decay=group.weight_decay,
            maximize=False,
        )
