"""Parts of the main phase that need one cell at a time, done for some cells at a time in large sets."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from scbench_methods.sccagn.losses import reconstruction_error
from scbench_methods.sccagn.model import Network
from scbench_methods.sccagn.recompute import recomputed
from torch import Tensor

from scbench.nn.precomputed import with_gradients

__all__ = ["encode", "reconstruction"]

_WHOLE_UP_TO = 4096  # cells; up to here a set is one block, and digits are those of plain layers
_CELLS_AT_ONCE = 1024


def encode(network: Network, x: Tensor, codes: Sequence[Tensor]) -> Tensor:
    """Return ``network.encode(x, codes)``; in a large set layers after the first are computed again for the gradient.

    What they would keep is four times as wide as what they start from.
    """
    if len(x) <= _WHOLE_UP_TO:
        return network.encode(x, codes)
    parts = [part.split(_CELLS_AT_ONCE) for part in (network.autoencoder.layers[0](x), *codes[:2])]
    blocks = zip(*parts, strict=True)
    return torch.cat([recomputed(network.encode_further, block, network.encoder_parameters) for block in blocks])


def reconstruction(network: Network, met: Tensor, codes: Sequence[Tensor], x: Tensor) -> Tensor:
    """Return the mean over all entries of the squared error of the reconstruction.

    In a large set a block is decoded, compared and differentiated at once, so nothing as wide as the decoder is ever
    kept for all cells, and nothing is computed twice.

    Args:
        network: whose decoder it is.
        met: (n_cells, n_latent), of ``network.meet``.
        codes: of ``network.graph_codes``.
        x: (n_cells, n_genes).
    """
    if len(x) <= _WHOLE_UP_TO:
        return reconstruction_error(network.decode_further(met, *codes[:3]), network.output, x)
    inputs, parameters = [met, *codes[:3]], network.decoder_parameters
    slopes = [*(torch.empty_like(part) for part in inputs), *(torch.zeros_like(part) for part in parameters)]
    total = torch.zeros((), dtype=torch.float64, device=x.device)
    for start in range(0, len(x), _CELLS_AT_ONCE):
        rows = slice(start, start + _CELLS_AT_ONCE)
        with torch.enable_grad():
            block = [part.detach()[rows].requires_grad_() for part in inputs]
            share = len(block[0]) / len(x)
            error = share * reconstruction_error(network.decode_further(*block), network.output, x[rows])
        found = torch.autograd.grad(error, [*block, *parameters])
        total += error.detach().double()
        for whole, part in zip(slopes[: len(inputs)], found, strict=False):
            whole[rows] = part
        for whole, part in zip(slopes[len(inputs) :], found[len(inputs) :], strict=True):
            whole += part
    return with_gradients(total.to(x.dtype), [*inputs, *parameters], slopes)
