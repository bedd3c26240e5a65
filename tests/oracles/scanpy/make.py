"""Write what scanpy makes of small inputs: `python tests/oracles/scanpy/make.py`. The slow tests make it anew and compare.

neighbours.npz: x (120 cells, 6), and the dense connectivities of 5 and of 15 neighbours.
genes.npz: counts (200 cells, 300 genes), and the 50 variable genes of each flavour out of those in three cells.
standard.npz: counts (150 cells, 200 genes), and z-scores cut at 2 of 40 variable genes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

FLAVORS = ("seurat", "seurat_v3")
N_NEIGHBORS = (5, 15)


def connectivities(x: np.ndarray, n_neighbors: int) -> np.ndarray:
    """Return scanpy's weighted graph of neighbours, (n_cells, n_cells)."""
    import anndata
    import scanpy

    data = anndata.AnnData(x)
    scanpy.pp.neighbors(data, n_neighbors=n_neighbors, use_rep="X")
    graph: np.ndarray = data.obsp["connectivities"].toarray()
    return graph


def variable_genes(counts: np.ndarray, flavor: str) -> np.ndarray:
    """Return the 50 genes that scanpy finds most variable, as columns of ``counts``."""
    import anndata
    import scanpy

    data = anndata.AnnData(csr_matrix(counts))
    scanpy.pp.filter_genes(data, min_cells=3)
    if flavor == "seurat":
        scanpy.pp.normalize_total(data, target_sum=1e4)
        scanpy.pp.log1p(data)
    scanpy.pp.highly_variable_genes(data, n_top_genes=50, flavor=flavor)
    kept = np.flatnonzero((counts > 0).sum(axis=0) >= 3)
    return kept[data.var["highly_variable"].to_numpy()]


def standard_matrix(counts: np.ndarray) -> np.ndarray:
    """Return scanpy's z-scores, cut at 2, of its 40 most variable genes."""
    import anndata
    import scanpy

    data = anndata.AnnData(csr_matrix(counts))
    scanpy.pp.filter_genes(data, min_cells=3)
    scanpy.pp.normalize_total(data, target_sum=1e4)
    scanpy.pp.log1p(data)
    scanpy.pp.highly_variable_genes(data, n_top_genes=40)
    data = data[:, data.var["highly_variable"]].copy()
    data.X = data.X.toarray()
    scanpy.pp.scale(data, max_value=2)
    scaled: np.ndarray = data.X
    return scaled


def simulated(n_cells: int, n_genes: int) -> np.ndarray:
    """Return counts of two groups of cells that differ in ten genes."""
    rng = np.random.default_rng(0)
    rate = rng.gamma(0.6, 2.0, n_genes) * rng.gamma(4, 0.25, (n_cells, 1))
    rate[: n_cells // 2, :10] *= 6
    return rng.poisson(rate).astype(np.float32)


def main() -> None:
    """Write the three files beside this one."""
    folder = Path(__file__).parent
    x = np.random.default_rng(0).normal(size=(120, 6)).astype(np.float32)
    graphs = {f"connectivities_{k}": connectivities(x, k) for k in N_NEIGHBORS}
    np.savez_compressed(folder / "neighbours.npz", x=x, **graphs)  # type: ignore[arg-type]
    counts = simulated(200, 300)
    genes = {flavor: variable_genes(counts, flavor) for flavor in FLAVORS}
    np.savez_compressed(folder / "genes.npz", counts=counts, **genes)  # type: ignore[arg-type]
    counts = simulated(150, 200)
    np.savez_compressed(folder / "standard.npz", counts=counts, z_scores=standard_matrix(counts))


if __name__ == "__main__":
    main()
