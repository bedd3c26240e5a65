"""Which figures a report has, and where they go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from scbench.escape import figure_text, markdown_text
from scbench.report.content import Content
from scbench.report.entries import Entry
from scbench.report.figures.confusion import confusion
from scbench.report.figures.cost import cost
from scbench.report.figures.critical_difference import critical_difference_diagram
from scbench.report.figures.curves import learning_curves, read_history, score_snapshots
from scbench.report.figures.embedding import embedding_figure, lay_out, sample_cells
from scbench.report.figures.files import file_stem, save, style
from scbench.report.figures.heat_map import heat_map
from scbench.report.figures.marker_set import draw_markers
from scbench.report.figures.matching import match
from scbench.report.figures.river import river
from scbench.report.figures.similarity import similarity
from scbench.report.figures.spread import spread_pages
from scbench.report.figures.true_types import NoTruthError, Truth, true_labels
from scbench.report.markers.collect import MarkerReport
from scbench.report.statistics_page import Comparisons
from scbench.store.stored_arrays import stored_array
from scbench.tables.cell import Cell
from scbench.tables.measures import Measure

__all__ = ["OF_MEASURE", "Drawing"]

# Figures of a whole measure: of the rows, the datasets and the measure; None draws nothing, several are numbered.
OF_MEASURE: dict[str, Callable[[Sequence[Entry], Sequence[str], Measure], Figure | list[Figure] | None]] = {
    "heat_map": heat_map,
    "spread": spread_pages,
    "cost": cost,
}


@dataclass
class Drawing:
    """Draws the figures of a report.

    Attributes:
        details: datasets whose runs are shown one by one; None takes the one with the fewest cells whose labels are
            at hand.
        layout: of embeddings, ``umap`` or ``tsne``.
        left_out: why figures were left out, one sentence each; filled while drawing.
        truths: labels of the datasets whose runs are shown one by one; filled while drawing.
        layouts: by key of a run, the positions of the drawn cells and their coordinates; filled while drawing.
    """

    details: tuple[str, ...] | None = None
    layout: str = "umap"
    left_out: list[str] = field(default_factory=list)
    truths: dict[str, Truth] = field(default_factory=dict)
    layouts: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    def __call__(
        self, content: Content, comparisons: Comparisons, folder: Path, markers: MarkerReport | None = None
    ) -> list[Path]:
        """Write every figure and an index of them, those of ``markers`` too, and return their paths."""
        folder.mkdir(parents=True, exist_ok=True)
        paths: list[Path] = []
        with style():
            paths += self._overviews(content, comparisons, folder)
            for dataset, truth in self._detailed(content):
                if truth is not None:
                    self.truths[dataset] = truth
                for number, entry in enumerate(one for one in content.entries if dataset in one.cells):
                    name = f"{file_stem(entry.name, dataset)}_{number}"
                    paths += self._details(content, entry, entry.cells[dataset], truth, folder / "runs", name)
            if markers is not None:
                paths += draw_markers(markers, folder / "markers")
        index = folder / "README.md"
        index.write_text(self._index(paths, folder), encoding="utf-8")
        return [*paths, index]

    def _overviews(self, content: Content, comparisons: Comparisons, folder: Path) -> list[Path]:
        """Write the figures of whole measures."""
        entries = [entry for entry in content.compared if entry.cells]
        if not entries:
            self.left_out.append("no comparable run, so there are no figures of measures")
            return []
        paths = []
        for measure in content.measures:
            for name, drawn in OF_MEASURE.items():
                found = drawn(entries, content.datasets, measure)
                if isinstance(found, Figure):
                    paths += save(found, folder, f"{name}_{measure.name}")
                    continue
                for number, figure in enumerate(found or (), start=1):
                    paths += save(figure, folder, f"{name}_{measure.name}_{number}")
            for result in comparisons.get(measure.name, []):
                name = f"critical_difference_{measure.name}_{result.analysis}"
                paths += save(critical_difference_diagram(result, measure), folder, name)
        return paths

    def _detailed(self, content: Content) -> Iterator[tuple[str, Truth | None]]:
        """Yield the datasets whose runs are shown one by one, with their labels where they are at hand."""
        firsts = {str(record["dataset"]): record for record in reversed(content.records)}
        if self.details is not None:
            for dataset in self.details:
                if dataset not in firsts:
                    self.left_out.append(f"{dataset}: no run of it in this report")
                else:
                    yield dataset, self._truth(firsts[dataset])
            return
        for dataset in sorted(firsts, key=lambda name: (firsts[name]["n_cells"], name)):
            truth = self._truth(firsts[dataset])
            if truth is not None:
                yield dataset, truth
                return

    def _truth(self, record: dict[str, object]) -> Truth | None:
        """Return the labels of a record's dataset; None, with a line about it, when they are not at hand."""
        try:
            return true_labels(record)
        except NoTruthError as error:
            self.left_out.append(f"{record['dataset']}: {error}")
            return None

    def _details(
        self, content: Content, entry: Entry, cell: Cell, truth: Truth | None, folder: Path, name: str
    ) -> list[Path]:
        """Write the figures of one method on one dataset; the first seed that ended well stands for its runs."""
        keys = {int(record["seed"]): str(record["key"]) for record in cell.ok}
        places = {seed: content.store / content.folders[key] for seed, key in keys.items()}
        found = {seed: read_history(place) for seed, place in places.items()}
        histories = {seed: table for seed, table in found.items() if table is not None}
        scored = {seed: score_snapshots(place, truth) for seed, place in places.items()} if truth else {}
        scores = {seed: table for seed, table in scored.items() if table is not None}
        about = f"{entry.name} on {cell.dataset}"
        curves = learning_curves(histories, scores, figure_text(about))
        paths = [] if curves is None else save(curves, folder, f"{name}_curves")
        if truth is None or not places:
            return paths
        seed = min(places)
        arrays = [stored_array(places[seed] / file) for file in ("labels.npy", "embedding.npy")]
        labels, latent = (one if one is not None and len(one) == len(truth.codes) else None for one in arrays)
        title = f"{about}, seed {seed}"
        if labels is None:
            self.left_out.append(f"{title}: its labels.npy is missing or damaged")
            return paths
        heading = figure_text(title)
        clusters = match(truth, labels)
        paths += save(confusion(truth, clusters, heading), folder, f"{name}_confusion")
        paths += save(river(truth, clusters, heading), folder, f"{name}_river")
        if latent is None or latent.ndim != 2 or latent.shape[1] < 2 or not np.isfinite(latent).all():
            self.left_out.append(f"{title}: no usable embedding is stored, so it is not drawn")
            return paths
        shown = sample_cells(truth.codes)
        points = lay_out(latent[shown], self.layout)
        self.layouts[keys[seed]] = (shown, points)
        paths += save(embedding_figure(points, truth, clusters, shown, heading), folder, f"{name}_{self.layout}")
        return paths + save(similarity(latent, truth, heading), folder, f"{name}_similarity")

    def _index(self, paths: list[Path], folder: Path) -> str:
        """Return a page with all figures and what was left out."""
        parts = ["# Figures", *(f"Left out: {markdown_text(reason)}." for reason in self.left_out)]
        for path in paths:
            if path.suffix == ".png":
                where = path.relative_to(folder).as_posix()
                parts.append(f"## {path.stem.replace('_', ' ')}\n\n![{path.stem}]({where}) ([SVG]({where[:-3]}svg))")
        return "\n\n".join(parts) + "\n"
