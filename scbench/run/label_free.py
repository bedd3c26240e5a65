"""What the table shows of runs on cells without annotated types: agreement of seeds, and silhouette."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scbench.data.dataset import Dataset
from scbench.store.store import Store
from scbench.tables.columns import LABEL_FREE_FIELD
from scbench.tables.rows import summarise

__all__ = ["with_label_free"]

_MOST_CELLS = 50_000  # above it the components may take longer than the runs, and this process has to hold the counts


def with_label_free(
    records: Sequence[Mapping[str, Any]], datasets: Mapping[str, Dataset], store: Store
) -> list[Mapping[str, Any]]:
    """Return the records, those of runs without annotated types with numbers that need none.

    The numbers are made from the stored labels: ``seed_ari``, the mean ARI with the other seeds of the row, and
    ``silhouette_pca`` on components that are cached with the dataset. Modularity is left out: its graph of neighbours
    may cost more than the runs, and so is the silhouette above 50 000 cells. Nothing is stored.

    Args:
        records: as they are shown.
        datasets: by name.
        store: of the records.
    """
    found = {id(record): record for record in records}
    unlabelled = [record for record in records if record["status"] == "ok" and record["n_types"] is None]
    if not unlabelled:
        return list(records)
    import numpy as np

    from scbench.metrics.external import Agreement, ari
    from scbench.metrics.fixed_space import FixedSpace
    from scbench.store.stored_arrays import stored_array

    spaces = {}
    for name in {record["dataset"] for record in unlabelled if record["n_cells"] <= _MOST_CELLS}:
        counts = datasets[name].counts()
        spaces[name] = FixedSpace(counts, datasets[name].cache(counts.matrix))
    for row in summarise(unlabelled):
        labels = {}
        for record in row.cell.ok:
            array = stored_array(store.folder(record["dataset"], record["method"], record["key"]) / "labels.npy")
            if array is not None:
                labels[id(record)] = array
        for key, own in labels.items():
            others = [ari(Agreement(own, other)) for place, other in labels.items() if place != key]
            numbers = {}
            if row.dataset in spaces:
                numbers["silhouette_pca"] = spaces[row.dataset].score("silhouette_pca", own)
            if others:
                numbers["seed_ari"] = float(np.mean(others))
            found[key] = {**found[key], LABEL_FREE_FIELD: numbers}
    return list(found.values())
