"""Markers made by hand for the tests of what shows them; nothing is ranked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_matrix

from scbench.report.markers.collect import ANNOTATED, DatasetMarkers, Grouping, MarkerReport
from scbench.report.markers.overlap import shared_markers
from scbench.report.markers.panel import panel_of
from scbench.report.markers.ranking import Markers, testable


def grouping(
    name: str, values: csr_matrix, codes: np.ndarray, genes: np.ndarray, names: list[str], seed: int | None = 0
) -> Grouping:
    """Return groups whose markers are the genes with the largest difference of means."""
    sizes = np.bincount(codes)
    tested = np.flatnonzero(testable(sizes))
    dense = values.toarray()
    means = np.stack([dense[codes == code].mean(axis=0) - dense[codes != code].mean(axis=0) for code in tested])
    n_top = min(50, len(genes) // 2)
    best = np.argsort(-means, axis=1, kind="stable")[:, :n_top]
    score = np.take_along_axis(means, best, axis=1)
    markers = Markers(
        tested, best, score, score, 10 ** -np.abs(score), 10 ** -np.abs(score), score * 0 + 0.5, score * 0 + 0.25
    )
    panel = panel_of(values, codes, markers)
    key = "" if seed is None else f"key-of-{name}"
    return Grouping(name, seed, key, tuple(names), sizes, markers, panel, genes[best], genes[panel.genes], None)


def report_of(
    n_types: int,
    n_cells: int = 900,
    n_genes: int = 300,
    gene: str = "Gene{}",
    dataset: str = "d",
    kind: str = "cell type number {}",
) -> MarkerReport:
    """Return markers of types of very different sizes, of one method that mixes some of them, and of ``random``."""
    rng = np.random.default_rng(0)
    share = 1 / np.arange(1, n_types + 1)
    types = np.concatenate(
        [np.repeat(np.arange(n_types), 4), rng.choice(n_types, n_cells - 4 * n_types, p=share / share.sum())]
    )
    raised = rng.random((n_types, n_genes)) < 0.1
    dense = rng.poisson(np.where(raised[types], 3.0, 0.3))
    values = csr_matrix(np.log1p(dense).astype(np.float32))
    genes = np.array([gene.format(number) for number in range(n_genes)])
    named = [kind.format(number) for number in range(n_types)]
    clusters = np.where(rng.random(n_cells) < 0.2, rng.integers(n_types, size=n_cells), types)
    clusters[0] = n_types  # a cluster of one cell
    numbers = [str(number) for number in range(n_types + 1)]
    annotated = grouping(ANNOTATED, values, types, genes, named, None)
    found = [
        grouping("random", values, rng.integers(n_types, size=n_cells), genes, numbers[:-1]),
        grouping("alpha", values, clusters, genes, numbers),
    ]
    compared = [
        replace(one, shared=shared_markers(one.markers.genes, annotated.markers.genes)) for one in [annotated, *found]
    ]
    shown = tuple(f"{number}. {name} (9)" for number, name in enumerate(named, start=1))
    return MarkerReport(
        (DatasetMarkers(dataset, n_genes, 0, shown, tuple(named), compared[0], tuple(compared[1:])),),
        ("e: it has no gene names, so its markers would say nothing",),
    )
