"""The encoder of CICL, in which a cell is one token."""

from __future__ import annotations

from typing import cast

import torch
from scbench_methods.cicl.dropout import Dropout
from torch import Tensor, nn
from torch.nn.functional import layer_norm, linear

__all__ = ["Encoder", "EncoderBlock"]


# On the CPU; activations of so many cells are served from memory that glibc holds already (blocks below 32 MiB).
_CELLS_AT_ONCE = 1024


class EncoderBlock(nn.Module):
    """One post-norm Transformer block for sequences of one token.

    The softmax over a single key is 1, so attention is the linear map W_o W_v x whatever queries and keys are; they
    do not exist here. With dropout D:

        a = LN0(W_o W_v x + x)                      (LN0 without scale and shift; "single": a = W_o W_v x)
        u = LN1(x + D(a))
        y = LN2(u + D(W_2 D(relu(W_1 u + b_1)) + b_2))

    Args:
        width: of the token.
        value_width: of the values of all heads together.
        ffn_width: of the hidden layer.
        dropout_rate: in [0, 1).
        generator: CPU generator of the dropout masks. Weights come from torch's process-wide one.
        residual: "double" as above, or "single".

    Source: CICL (arXiv 2312.16600), eq. 5 and 6, which has the single residual; the double one, with its
    normalisation without parameters, is that of the released program. Queries and keys, which get no gradient there,
    are left out.
    """

    def __init__(
        self,
        width: int,
        value_width: int,
        ffn_width: int,
        dropout_rate: float,
        generator: torch.Generator,
        residual: str,
    ) -> None:
        super().__init__()
        self.values = nn.Linear(width, value_width, bias=False)
        self.output = nn.Linear(value_width, width, bias=False)
        self.hidden = nn.Linear(width, ffn_width)
        self.back = nn.Linear(ffn_width, width)
        self.norm_attention = nn.LayerNorm(width)
        self.norm_ffn = nn.LayerNorm(width)
        self.dropout = Dropout(dropout_rate, generator)
        self._is_double = residual == "double"

    def forward(self, x: Tensor, attention: Tensor | None = None) -> Tensor:
        """Return the block's output for ``x``, (n_cells, width), of the same shape.

        Args:
            x: input.
            attention: what :meth:`attention_map` returned for these weights.
        """
        attended = self.output(self.values(x)) if attention is None else linear(x, attention)
        if self._is_double:
            attended = layer_norm(attended + x, x.shape[1:])
        u: Tensor = self.norm_attention(x + self.dropout(attended))
        hidden = self.dropout.then_relu(self.hidden(u))
        out: Tensor = self.norm_ffn(u + self.dropout(self.back(hidden)))
        return out

    def attention_map(self, n_cells: int) -> Tensor | None:
        """Return W_o W_v, (width, width), or None when it is cheaper to apply one after the other to so many cells."""
        value_width, width = self.values.weight.shape
        if width * (value_width + n_cells) > 2 * n_cells * value_width:
            return None
        with torch.autocast(self.values.weight.device.type, enabled=False):  # weights are not rounded to half precision
            return self.output.weight @ self.values.weight


class Encoder(nn.Module):
    """A stack of :class:`EncoderBlock` with a layer normalisation at the end; keeps the width.

    Args:
        width, value_width, ffn_width, dropout_rate, generator, residual: as for the block.
        n_layers: number of blocks.
        block_init: "independent" draws, or "copies" of the first block's, as in the released program.
    """

    def __init__(
        self,
        width: int,
        n_layers: int,
        value_width: int,
        ffn_width: int,
        dropout_rate: float,
        generator: torch.Generator,
        residual: str,
        block_init: str,
    ) -> None:
        super().__init__()
        blocks: list[EncoderBlock] = [
            EncoderBlock(width, value_width, ffn_width, dropout_rate, generator, residual) for _ in range(n_layers)
        ]
        if block_init == "copies":
            for block in blocks[1:]:
                block.load_state_dict(blocks[0].state_dict())
        self.blocks = nn.ModuleList(blocks)
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """Return representations, (n_cells, width), of ``x`` of the same shape."""
        maps = [cast(EncoderBlock, block).attention_map(len(x)) for block in self.blocks]
        pieces = x.split(_CELLS_AT_ONCE) if x.device.type == "cpu" else [x]
        return torch.cat([self._through(piece, maps) for piece in pieces])

    def _through(self, x: Tensor, maps: list[Tensor | None]) -> Tensor:
        """Return the representations of some of the cells."""
        for block, attention in zip(self.blocks, maps, strict=True):
            x = block(x, attention)
        out: Tensor = self.norm(x)
        return out
