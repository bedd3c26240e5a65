"""K found against K annotated, by both rules of n_clusters=estimate, and the ARI that each K gives.

SCBENCH_DATA_PATH=... python tests/perf/estimate_k_sets.py [name ...] runs the sets of FILES that are in that folder, prints
a line for each, and writes the tables into docs/estimate-k.md when all were run. About ten minutes of one x86_64 thread.
Nothing is chosen here: the constants of the rule are those of scbench/graph/stable_k/rule.py.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scbench.data.config import FileDataset
from scbench.data.load import open_dataset
from scbench.graph.communities import communities_matching_k
from scbench.graph.estimate_k import estimate_n_clusters
from scbench.graph.neighbours import umap_connectivities
from scbench.graph.stable_k.tree import stable_k
from scbench.kmeans import kmeans
from scbench.metrics.external import score
from scbench.preprocessing.prepare import STANDARD_RECIPE, principal_components

PAGE = Path(__file__).parents[2] / "docs" / "estimate-k.md"
START, END = "<!-- sets -->", "<!-- end of sets -->"

# Gold: sorted, a cell line, a stage or a condition by design. Silver: clusters of the authors, named by markers.
GOLD = (
    "celegans_embryo_tintori", "dc_progenitors_ginhoux_log", "deng_subset", "goolam", "hsmm_fpkm_top5000", "islam_es_mef",
    "li_cell_lines_top4000", "mecs_log", "mes_kolodziejczyk_200", "mix_celseq2_5cl", "mix_dropseq", "pbmc_facs",
    "pollen_tpm_top6000", "rnamix_celseq2", "shalek_bmdc_2000genes", "yan", "zebrafish_blood",
)  # fmt: skip
SILVER = (
    "cite_cbmc", "fly_gut_180", "human_pancreas_1", "joost_epidermis", "kang_muscat", "malaria_pberghei_10x",
    "malaria_pknowlesi_10x", "mca_mouse_gut", "mouse_bladder_top2000", "mouse_pancreas_1", "mouse_sie_2160_1000genes",
    "paul15", "pbmc3k", "pbmc_4k_top2000", "pdac_card", "ting_ctc_pancreas", "worm_neuron", "young_top2000",
    "zeisel_top4000",
)  # fmt: skip
CONTROL = ("ipsc_lung_lines",)  # two lines that hold the same cell states: the label does not lead the variation
VALUES = {
    "dc_progenitors_ginhoux_log": "log_normalised",
    "mecs_log": "log_normalised",
    "hsmm_fpkm_top5000": "linear",
    "pollen_tpm_top6000": "linear",
    "yan": "linear",
}
RULES = ("resolution_1", "stability")


@dataclass(frozen=True)
class Row:
    """What one set gave; ARI by K of each rule, and by the annotated K, of Leiden and of k-means."""

    name: str
    n_cells: int
    k_true: int
    k: dict[str, int]
    ari: dict[str, tuple[float, float]]
    seconds: float

    def off(self, rule: str) -> float:
        """Return |log2(K / K annotated)|."""
        return abs(float(np.log2(self.k[rule] / self.k_true)))


def row_of(name: str, folder: Path) -> Row:
    """Return the row of one set."""
    config = FileDataset(name=name, path=str(folder / f"{name}.h5"), values=VALUES.get(name, "counts"))
    dataset = open_dataset(config)
    counts, types = dataset.counts(), dataset.labels()
    assert types is not None
    started = time.process_time()
    k = {"stability": int(stable_k(counts))}
    seconds = time.process_time() - started
    k["resolution_1"] = estimate_n_clusters(counts)
    k_true = len(np.unique(types))
    points = principal_components(counts, STANDARD_RECIPE, 20)
    graph = umap_connectivities(points, 20)
    ari = {}
    for rule, number in {"true": k_true, **k}.items():
        by_leiden = communities_matching_k(graph, number, "leiden", 0)[0]
        by_kmeans = kmeans(points, number, 0)[0]
        ari[rule] = (score(types, by_leiden)["ari"], score(types, by_kmeans)["ari"])
    return Row(name, len(types), k_true, k, ari, seconds)


def table(rows: list[Row]) -> str:
    """Return the rows, the mean below them, as Markdown."""
    lines = [
        "| set | cells | K annotated | resolution_1 | stability | ARI of leiden at these three K | of pca_kmeans |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        aris = [" / ".join(f"{100 * row.ari[rule][method]:.1f}" for rule in ("true", *RULES)) for method in (0, 1)]
        found = " | ".join(str(row.k[rule]) for rule in RULES)
        lines.append(f"| {row.name} | {row.n_cells} | {row.k_true} | {found} | {aris[0]} | {aris[1]} |")
    return "\n".join(lines)


def means(rows: list[Row]) -> str:
    """Return one line of means."""
    offs = " and ".join(f"{np.mean([row.off(rule) for row in rows]):.2f} ({rule})" for rule in RULES)
    aris = []
    for method, name in enumerate(("leiden", "pca_kmeans")):
        values = [100 * float(np.mean([row.ari[rule][method] for row in rows])) for rule in ("true", *RULES)]
        aris.append(f"{name} " + " / ".join(f"{value:.1f}" for value in values))
    return f"Mean |log2(K / K annotated)| of {len(rows)} sets: {offs}. Mean ARI at the three K: {', '.join(aris)}."


def main(names: list[str]) -> None:
    """Run the sets and write the page."""
    folder = Path(os.environ["SCBENCH_DATA_PATH"])
    rows = []
    for name in names or [*GOLD, *SILVER, *CONTROL]:
        row = row_of(name, folder)
        rows.append(row)
        print(row, flush=True)
    if names:
        return
    parts = []
    for title, kind in (("Gold labels", GOLD), ("Silver labels", SILVER), ("Negative control", CONTROL)):
        of_kind = [row for row in rows if row.name in kind]
        parts.append(f"### {title}\n\n{table(of_kind)}\n\n{means(of_kind)}\n")
    head, _, rest = PAGE.read_text().partition(START)
    PAGE.write_text(head + START + "\n\n" + "\n".join(parts) + "\n" + END + rest.partition(END)[2])


if __name__ == "__main__":
    main(sys.argv[1:])
