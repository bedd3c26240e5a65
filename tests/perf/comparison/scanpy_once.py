"""The steps of scbench's baselines as scanpy and scikit-learn have them: what the field would type.

``python -P scanpy_once.py PIPELINE COUNTS`` with PIPELINE ``leiden`` or ``kmeans``; the last line of the output is JSON as
of :mod:`fit_once`. Recipe and sizes are those of scbench's defaults: genes of at least 3 cells, 10 000 counts a cell,
log1p, 2 000 variable genes (seurat), z-scores cut at 10, 20 components; 20 neighbours and Leiden by igraph at resolution
1, two iterations; or k-means with 20 starts.
"""

from __future__ import annotations

import json
import resource
import sys
import time
import warnings

import anndata
import numpy as np
import scanpy as sc
from scipy.sparse import csr_matrix
from sklearn.cluster import KMeans


def main(pipeline: str, path: str) -> dict[str, object]:
    """Return what it took."""
    with np.load(path) as stored:
        matrix = csr_matrix((stored["data"], stored["indices"], stored["indptr"]), shape=tuple(stored["shape"]))
        n_types = int(stored["n_types"])
    cpu, wall = time.process_time(), time.perf_counter()
    adata = anndata.AnnData(matrix)
    del matrix
    sc.pp.filter_genes(adata, min_cells=3)
    sc.pp.normalize_total(adata, target_sum=1e4)
    sc.pp.log1p(adata)
    sc.pp.highly_variable_genes(adata, n_top_genes=min(2000, adata.n_vars))
    adata = adata[:, adata.var["highly_variable"]].copy()
    sc.pp.scale(adata, max_value=10)
    sc.pp.pca(adata, n_comps=min(20, min(adata.shape) - 1))
    if pipeline == "leiden":
        sc.pp.neighbors(adata, n_neighbors=20, use_rep="X_pca")
        sc.tl.leiden(adata, resolution=1.0, flavor="igraph", n_iterations=2, directed=False)
    else:
        KMeans(n_types, n_init=20, random_state=0).fit_predict(adata.obsm["X_pca"])
    return {
        "finished": True,
        "cpu_seconds": time.process_time() - cpu,
        "wall_seconds": time.perf_counter() - wall,
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "n_cells": adata.n_obs,
        "epochs": 0,
        "stamps": [],
        "info": {},
    }


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps(main(*sys.argv[1:])))
