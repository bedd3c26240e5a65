"""``scbench.cluster(adata, "leiden")`` beside scanpy's plain pipeline, on sparse counts of any size.

    python tests/perf/own_cells.py                                     # 20 000 x 2 000
    python tests/perf/own_cells.py cells=200000 genes=20000 repeats=3  # the size of the target

Both start from the same AnnData in memory (reading is not counted), one after the other in processes of their own, in
turns: normalise, logarithm, 2 000 variable genes, 20 components, 20 neighbours, Leiden at resolution 1, two iterations
of igraph. ``per_cell`` sets how many values of a cell are not 0. Figures only: nothing here passes or fails.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measuring import matmul_rate

_DEFAULTS = {"cells": 20_000, "genes": 2_000, "per_cell": 400, "types": 12, "repeats": 3, "seed": 0}
_ROWS_AT_ONCE = 10_000
_SIDES = ("scbench", "scanpy")


def main(given: list[str]) -> None:
    """Make the cells, measure both sides in turns, and print the medians."""
    chosen = dict(_DEFAULTS)
    for argument in given:
        key, _, value = argument.partition("=")
        if key not in chosen or not value.isdecimal():
            raise SystemExit(f"{argument}: give KEY=NUMBER with one of {', '.join(chosen)}")
        chosen[key] = int(value)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cells.h5ad"
        subprocess.run([sys.executable, __file__, "--make", str(path), *map(str, chosen.values())], check=True)
        print(f"float32 matrix product on one core {matmul_rate():.0f} GFLOP/s")
        found: dict[str, list[list[float]]] = {side: [] for side in _SIDES}
        for _ in range(chosen["repeats"]):
            for side in _SIDES:
                done = subprocess.run(
                    [sys.executable, __file__, "--measure", side, str(path)], capture_output=True, text=True
                )
                if done.returncode:
                    raise SystemExit(done.stderr)
                found[side].append([float(word) for word in done.stdout.split()[-5:]])
    print(f"{chosen['cells']} x {chosen['genes']}, {chosen['per_cell']} draws per cell; medians of {chosen['repeats']}")
    middle = {side: [statistics.median(column) for column in zip(*rows, strict=True)] for side, rows in found.items()}
    for side, (wall, processor, before, peak, n_clusters) in middle.items():
        print(
            f"{side:8s} {wall:7.1f} s wall, {processor:7.1f} s processor, peak {peak / 2**30:.2f} GiB "
            f"({before / 2**30:.2f} with the cells read), {n_clusters:.0f} clusters"
        )
    ratios = [middle["scbench"][place] / middle["scanpy"][place] for place in (0, 1)]
    print(f"scbench / scanpy: {ratios[0]:.2f} wall, {ratios[1]:.2f} processor")


def make(path: Path, n_cells: int, n_genes: int, per_cell: int, n_types: int, seed: int) -> None:
    """Write simulated cells: the draws of a cell fall on genes by the frequencies of its type."""
    import anndata
    import numpy as np
    from scipy.sparse import csr_matrix, vstack

    rng = np.random.default_rng(seed)
    base = rng.lognormal(0, 1.5, n_genes)
    cumulated = np.cumsum(
        base * np.exp(rng.normal(size=(n_types, n_genes)) * (rng.random((n_types, n_genes)) < 0.1)), 1
    )
    cumulated /= cumulated[:, -1:]
    types = rng.integers(n_types, size=n_cells)
    blocks = []
    for start in range(0, n_cells, _ROWS_AT_ONCE):
        of = types[start : start + _ROWS_AT_ONCE]
        depth = rng.poisson(per_cell, len(of)) + 1
        genes = np.empty(depth.sum(), dtype=np.int32)
        of_draw = np.repeat(of, depth)
        for number in range(n_types):
            is_its = of_draw == number
            genes[is_its] = np.searchsorted(cumulated[number], rng.random(is_its.sum()))
        block = csr_matrix(
            (np.ones(len(genes), np.float32), genes, np.concatenate([[0], np.cumsum(depth)])), (len(of), n_genes)
        )
        block.sum_duplicates()
        blocks.append(block)
    anndata.AnnData(vstack(blocks, format="csr")).write_h5ad(path)


def measure(side: str, path: Path) -> None:
    """Run one side and print wall seconds, processor seconds, bytes before and at the peak, and clusters."""
    import anndata

    if side == "scbench":
        import scbench.own_cells.cluster
    else:
        import scanpy
    adata = anndata.read_h5ad(path)
    before = _peak()
    started, processor = time.perf_counter(), time.process_time()
    if side == "scbench":
        scbench.cluster(adata, "leiden", resolution=1.0, progress=False)
    else:
        scanpy.pp.normalize_total(adata)
        scanpy.pp.log1p(adata)
        scanpy.pp.highly_variable_genes(adata, n_top_genes=2000)
        scanpy.pp.pca(adata, n_comps=20)
        scanpy.pp.neighbors(adata, n_neighbors=20)
        scanpy.tl.leiden(adata, flavor="igraph", n_iterations=2, directed=False)
    took = time.perf_counter() - started, time.process_time() - processor
    print(*took, before, _peak(), adata.obs["leiden"].nunique())


def _peak() -> int:
    """Return the largest resident size so far in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    if sys.argv[1:2] == ["--make"]:
        cells, genes, per_cell, types, _, seed = map(int, sys.argv[3:])
        make(Path(sys.argv[2]), cells, genes, per_cell, types, seed)
    elif sys.argv[1:2] == ["--measure"]:
        measure(sys.argv[2], Path(sys.argv[3]))
    else:
        os.environ.setdefault("OMP_NUM_THREADS", str(len(os.sched_getaffinity(0))))
        main(sys.argv[1:])
