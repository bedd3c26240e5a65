"""A trained network that places cells: those it did not learn from, and those of another batch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scbench_methods.sccagn.by_blocks import encode
from scbench_methods.sccagn.config import ScCagnConfig
from scbench_methods.sccagn.dense_input import on_device
from scbench_methods.sccagn.gnn import CellGraph
from scbench_methods.sccagn.inputs import Inputs, cell_graph, require_enough
from scbench_methods.sccagn.losses import log_memberships
from scbench_methods.sccagn.model import Network
from scbench_methods.sccagn.reference import Reference, make_reference, on_the_scale_of, shows_any_gene
from scipy.sparse import csr_matrix
from torch import Tensor

from scbench.method import Clustering, Counts

__all__ = ["Fitted"]


@dataclass(frozen=True)
class Fitted:
    """What :meth:`method.ScCagn.fit` returns.

    Attributes:
        network: trained; nothing here changes it.
        clustering: of the cells that it was fitted to.
        inputs: what it was fitted to.
        config: of the method.
        device: where the network is.
    """

    network: Network
    clustering: Clustering
    inputs: Inputs
    config: ScCagnConfig
    device: torch.device

    def predict(self, counts: Counts) -> Clustering:
        """Return the clusters of other cells by the trained weights and centroids, which stay as they are.

        Genes, median library and ranges are those of the fitted cells; the graph is of the other cells alone, without
        those that have no counts in the genes found in the fitted ones.

        Args:
            counts: (n_cells, n_genes) of the other cells; genes are matched by name where both sets have names and
                these differ, by position otherwise.

        Raises:
            DataError: when fewer cells than a neighbourhood needs have counts, genes are missing, or a name stands
                for several genes.
        """
        x = on_the_scale_of(self._reference, counts)
        taught = shows_any_gene(self._reference, counts)
        require_enough(int(taught.sum()), self.config)
        graph, _ = cell_graph(x[taught], self.config)
        latent, soft = place_all(self.network, x, taught, graph, self.config, self.device)
        labels = soft.argmax(axis=1)
        info = {"n_clusters_found": len(np.unique(labels)), "n_cells_left_out": int((~taught).sum())}
        return Clustering(labels, embedding=latent, soft=soft, info=info)

    @cached_property
    def _reference(self) -> Reference:
        """The fitted cells as the scale for others; several batches may be placed."""
        return make_reference(self.inputs.usable, self.inputs.recipe)


def place_all(
    network: Network, x: np.ndarray, taught: np.ndarray, graph: csr_matrix, config: ScCagnConfig, device: torch.device
) -> tuple[np.ndarray, np.ndarray]:
    """Return latents (n_cells, 8) and memberships (n_cells, n_clusters) of all cells.

    Args:
        network: not changed.
        x: (n_cells, n_genes) float32.
        taught: (n_cells,) bool, the cells that the graph is of; each other one is a graph of its own.
        graph: (n_taught, n_taught).
        config: of the method.
        device: where the network is.
    """
    latent = np.empty((len(x), network.centroids.shape[1]), dtype=np.float32)
    soft = np.empty((len(x), network.centroids.shape[0]), dtype=np.float32)
    norm = config.norm
    for rows, cells in (
        (taught, CellGraph(graph, norm, device)),
        (~taught, CellGraph.of_strangers(int((~taught).sum()), norm, device)),
    ):
        if rows.any():
            z, q = _placed(network, on_device(x, rows, device), cells)
            latent[rows], soft[rows] = z.cpu().numpy(), q.cpu().numpy()
    return latent, soft


@torch.no_grad()
def _placed(network: Network, x: Tensor, graph: CellGraph) -> tuple[Tensor, Tensor]:
    """Return latents and memberships; attention has no part in either."""
    latent = encode(network, x, network.graph_codes(x, graph))
    return latent, log_memberships(latent, network.centroids).exp()
