"""What all stages of one fit share: tensors on the device, graphs, and which sums are estimated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from scbench_methods.scsiameseclu.config import ScSiameseCluConfig
from scbench_methods.scsiameseclu.inputs import Inputs
from scbench_methods.scsiameseclu.model import Attention
from scbench_methods.scsiameseclu.views import random_walk
from scipy.sparse import csr_matrix
from torch import Tensor

from scbench.method import RunContext
from scbench.nn.adjacency_error import AdjacencyError
from scbench.nn.attention import landmark_attention, self_attention
from scbench.nn.propagate import SparseGraph

__all__ = ["Setting", "Stage"]


@dataclass(frozen=True)
class Stage:
    """A graph that a stage propagates on and reconstructs.

    Attributes:
        graph: the normalised adjacency A.
        error: of an estimate of A.
        smoothed: A @ X, what the graph decoder has to give.
    """

    graph: SparseGraph
    error: AdjacencyError
    smoothed: Tensor


class Setting:
    """The inputs of one fit on its device.

    Args:
        inputs: seed-free inputs.
        config: the method's configuration.
        run: device and randomness.
    """

    def __init__(self, inputs: Inputs, config: ScSiameseCluConfig, run: RunContext) -> None:
        self.config = config
        self.run = run
        self.n_cells: int = inputs.x.shape[0]
        self.n_features: int = inputs.x.shape[1]
        self.x = torch.tensor(inputs.x, device=run.device)
        self.size_factors = torch.tensor(inputs.size_factors, device=run.device)
        self.normalised = self.stage(random_walk(inputs.graph, by_columns=config.is_paper_code))

    def stage(self, adjacency: csr_matrix) -> Stage:
        """Return what a stage needs of a normalised adjacency."""
        graph = SparseGraph(adjacency, self.run.device)
        return Stage(graph, AdjacencyError(adjacency, self.run.device), graph.once(self.x))

    @property
    def samples_adjacency(self) -> bool:
        """Return whether there are too many cells for the error over all pairs."""
        return self.n_cells > self.config.exact_adjacency_cells

    @property
    def samples_attention(self) -> bool:
        """Return whether there are too many cells for attention over all cells."""
        return self.n_cells > self.config.exact_attention_cells

    @property
    def attention(self) -> Attention:
        """Return the attention that the number of cells allows."""
        if self.samples_attention:
            return lambda latent: landmark_attention(latent, self.config.n_landmarks, self.run.generator)
        return self_attention

    def adjacency_error(self, error: AdjacencyError, encoded: Sequence[Tensor], decoded: Tensor) -> Tensor:
        """Return the error of (mean estimate of the encoders + estimate of the decoder)."""
        codes, weights = [*encoded, decoded], [1 / len(encoded)] * len(encoded) + [1.0]
        if self.samples_adjacency:
            return error.sampled(codes, weights, self.run.generator)
        return error.exact(codes, weights)

    def approximations(self) -> dict[str, Any]:
        """Return which sums are estimated, for the run's record."""
        return {
            "adjacency_error": "sampled tiles" if self.samples_adjacency else "exact",
            "attention": f"{self.config.n_landmarks} landmarks" if self.samples_attention else "exact",
        }
