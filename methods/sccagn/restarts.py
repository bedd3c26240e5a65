"""Several autoencoders of one shape, trained side by side in one vector of parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from scbench_methods.sccagn.model import N_ENCODER, Autoencoder
from torch import Tensor, nn

from scbench.nn.flat_adamax import FlatAdamax

__all__ = ["Restarts"]

LatentSlopes = Callable[[Tensor], Tensor]


class Restarts:
    """Independent autoencoders; a step computes their gradients by hand, which is half of autograd's time here.

    Batches are so small that most of a step is overhead: of Python, of the gradient's bookkeeping, of moving
    parameters through memory. Here a product covers all restarts, gradients are written where the optimiser reads
    them, and the optimiser goes through the parameters once.

    Args:
        autoencoders: at least one, of one shape; their weights are copied.
        device: where to train.
    """

    def __init__(self, autoencoders: Sequence[Autoencoder], device: torch.device | str = "cpu") -> None:
        vectors = [nn.utils.parameters_to_vector(one.parameters()).detach() for one in autoencoders]
        self._shape = autoencoders[0]
        self._take(torch.stack(vectors).to(device))
        self._optimiser = FlatAdamax(self._values.view(-1), self._slopes.view(-1))

    def keep(self, restart: int) -> None:
        """Go on with one of the restarts alone; it becomes number 0."""
        n = self._values.shape[1]
        self._take(self._values[restart : restart + 1].clone())
        places = slice(restart * n, (restart + 1) * n)
        self._optimiser = self._optimiser.goes_on_with(self._values.view(-1), self._slopes.view(-1), places)

    def _take(self, values: Tensor) -> None:
        """Train these parameters (n_restarts, n)."""
        self._values, self._slopes = values, torch.zeros_like(values)
        self._layers = self._parts(self._shape, self._values)
        self._slope_layers = self._parts(self._shape, self._slopes)
        self._transposed = [weight.mT for weight, _ in self._layers]
        self.n_restarts = len(values)

    @staticmethod
    def _parts(autoencoder: Autoencoder, flat: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Return views of each layer's weights (n_restarts, out, in) and biases (n_restarts, 1, out)."""
        parts, start = [], 0
        for parameter in autoencoder.parameters():
            stop = start + parameter.numel()
            parts.append(flat[:, start:stop].unflatten(1, tuple(parameter.shape)))
            start = stop
        return [(weight, bias[:, None]) for weight, bias in zip(parts[::2], parts[1::2], strict=True)]

    @torch.no_grad()
    def step(self, x: Tensor, lr: float, latent_slopes: LatentSlopes | None = None) -> Tensor:
        """Take one step on the squared errors of a batch; return them, (n_restarts,), as they were before it.

        Args:
            x: (n_restarts, n_cells, n_genes), a batch for each.
            lr: step size.
            latent_slopes: takes the latents (n_restarts, n_cells, n_latent) and returns the gradient of a further
                loss with respect to them.
        """
        errors = self.gradients(x, latent_slopes)
        self._optimiser.step(lr)
        return errors

    @torch.no_grad()
    def gradients(self, x: Tensor, latent_slopes: LatentSlopes | None = None) -> Tensor:
        """Fill in the gradients of a batch and return the mean squared errors; see :meth:`step`."""
        inputs = self._forward(x)
        gap = inputs.pop().sub_(x)
        n_entries = x.shape[1] * x.shape[2]
        errors: Tensor = torch.linalg.vector_norm(gap, dim=(1, 2)).square() / n_entries
        outer = gap.mul_(2 / n_entries)
        for i in range(len(self._layers) - 1, -1, -1):
            weight, _ = self._layers[i]
            weight_slope, bias_slope = self._slope_layers[i]
            torch.bmm(outer.mT, inputs[i], out=weight_slope)
            torch.sum(outer, dim=1, keepdim=True, out=bias_slope)
            if i > 0:
                outer = torch.bmm(outer, weight)
                if i == N_ENCODER:
                    outer = outer if latent_slopes is None else outer + latent_slopes(inputs[i])
                else:
                    outer.mul_(inputs[i].sign())  # not negative, so 0 or 1
        return errors

    @torch.no_grad()
    def encode(self, x: Tensor) -> Tensor:
        """Return the latents (n_restarts, n_cells, n_latent) of cells (n_cells, n_genes)."""
        # One restart after the other: the first layer of all would be as wide as all of them.
        pieces = []
        for r in range(self.n_restarts):
            h = x
            for i, (weight, bias) in enumerate(self._layers[:N_ENCODER]):
                h = torch.addmm(bias[r], h, weight[r].T)
                h = h if i == N_ENCODER - 1 else h.relu_()
            pieces.append(h)
        return torch.stack(pieces)

    def copy_to(self, autoencoder: Autoencoder, restart: int) -> None:
        """Write the weights of one restart into an autoencoder."""
        nn.utils.vector_to_parameters(self._values[restart].cpu(), autoencoder.parameters())

    def _forward(self, x: Tensor) -> list[Tensor]:
        """Return the input of each layer, and the reconstruction."""
        values = [x]
        for i, (_, bias) in enumerate(self._layers):
            result = torch.baddbmm(bias, values[-1], self._transposed[i])
            values.append(result if i in (N_ENCODER - 1, len(self._layers) - 1) else result.relu_())
        return values
