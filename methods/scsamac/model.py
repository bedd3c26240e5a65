"""The network: a denoising autoencoder of counts in which cells attend to each other."""

from __future__ import annotations

from typing import Literal, cast

import torch
from torch import Tensor, nn

from scbench.nn.blocks import mlp
from scbench.nn.cell_attention import CellAttention
from scbench.nn.likelihood import CountHeads

__all__ = ["LATENT_WIDTH", "Network"]

LATENT_WIDTH = 32
_HIDDEN_WIDTH = 64


class Network(nn.Module):
    """Encoder, two attention blocks, decoder and count heads. All views of the cells share it.

    Args:
        n_genes: width of input and output.
        likelihood: "nb" or "zinb".
        n_heads, dropout: of the attention blocks.
        generator: of the dropout; weights come from torch's process-wide generator, which each run seeds.
        wide_width: of the first layer and of the last before the heads.

    Source: scSAMAC (Li et al. 2025); the width 256, and the dropout, from the released
    program. The paper calls it a variational autoencoder; neither its equations nor the program have a variational
    part.
    """

    def __init__(
        self,
        n_genes: int,
        likelihood: str,
        n_heads: int,
        dropout: float,
        generator: torch.Generator | None = None,
        *,
        wide_width: int = 256,
    ) -> None:
        super().__init__()
        self.wide = nn.Linear(n_genes, wide_width)
        self.narrow = nn.Linear(wide_width, _HIDDEN_WIDTH)
        self.hidden_attention = CellAttention(
            _HIDDEN_WIDTH, n_heads, dropout=dropout, residual=True, generator=generator
        )
        self.latent = nn.Linear(_HIDDEN_WIDTH, LATENT_WIDTH)
        self.latent_attention = CellAttention(
            LATENT_WIDTH, n_heads, dropout=dropout, residual=True, generator=generator
        )
        self.decoder = mlp([LATENT_WIDTH, _HIDDEN_WIDTH, wide_width], act_last=True)
        self.heads = CountHeads(wide_width, n_genes, cast(Literal["nb", "zinb"], likelihood))

    def hidden(self, wide: Tensor) -> Tensor:
        """Return the representation before attention, (..., n_cells, 64).

        Args:
            wide: (..., n_cells, wide_width), output of the first layer.
        """
        return torch.relu(self.narrow(torch.relu(wide)))

    def attend(self, hidden: Tensor, others: Tensor | None = None) -> Tensor:
        """Return the latent of each cell, (..., n_cells, 32).

        Args:
            hidden: (..., n_cells, 64) of :meth:`hidden`; leading axes are sets of cells that do not see each other.
            others: (n_others,) int64, the cells that are attended to; None for all of the set.
        """
        attended = self.hidden_attention(hidden, None if others is None else hidden[..., others, :])
        latent = self.latent(attended)
        result: Tensor = self.latent_attention(latent, None if others is None else latent[..., others, :])
        return result
