"""Compare methods on one's own cells, with labels or without: ``scbench.compare(adata, ["leiden", "pca_kmeans"])``."""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from scbench.config.literal import literal
from scbench.data.dataset import Dataset
from scbench.errors import ConfigError, DataError
from scbench.metrics.consensus import Consensus, consensus
from scbench.metrics.fixed_space import FixedSpace
from scbench.names import unknown
from scbench.own_cells.checked_counts import checked_counts
from scbench.own_cells.comparison.cells_file import LABEL, cell_names_of, write_cells
from scbench.own_cells.comparison.child import runs_of
from scbench.own_cells.comparison.evidence import agreement_of, clusters_of, method_consensus, numbered_alike, table_of
from scbench.own_cells.comparison.marker_table import marker_table
from scbench.own_cells.comparison.result import Comparison
from scbench.own_cells.comparison.runs import MethodRuns
from scbench.own_cells.comparison.tables import CONSENSUS
from scbench.own_cells.in_python import speaking_python
from scbench.own_cells.matrix_of import is_anndata

if TYPE_CHECKING:
    from anndata import AnnData
    from scipy.sparse import sparray, spmatrix

__all__ = ["NO_LABELS", "compare", "compared"]

NO_LABELS = "none"  # what dataset.label is set to where no column is to be read

_LOG = logging.getLogger(__name__)
_METHODS = ("pca_kmeans", "leiden")


def compare(
    data: AnnData | pd.DataFrame | np.ndarray | spmatrix | sparray | Path | str,
    methods: Sequence[str] | Mapping[str, Mapping[str, Any]] = _METHODS,
    *,
    n_seeds: int = 5,
    n_clusters: int | Literal["estimate", "true"] = "estimate",
    label_key: str | None = None,
    layer: str | None = None,
    values: Literal["counts", "log_normalised", "linear"] = "counts",
    markers: bool = False,
    device: str = "auto",
    out: Path | str | None = None,
    progress: bool = True,
    **settings: Any,
) -> Comparison:
    """Run several methods on the same cells and return what can be said of them, without labels unless given.

    The runs are those of the command line: same engine, same store, same labels for the same seeds.

    Args:
        data: AnnData, DataFrame, dense or sparse (n_cells, n_genes) matrix, or the path of a file or 10x folder that
            ``dataset=file`` reads. It is not changed.
        methods: names; or parameters by name, as ``{"leiden": {"resolution": 0.5}, "pca_kmeans": {}}``.
        n_seeds: seeds 0, 1, ... of each method.
        n_clusters: for all methods: a number, ``"estimate"``, or ``"true"``: as many as ``label_key`` has types.
        label_key: column of ``obs`` (of a file: its labels, as ``dataset.label``) with annotated types, for ACC, NMI
            and ARI. No method sees it.
        layer: layer of the AnnData that holds the counts. None takes the first of ``X``, ``layers["counts"]`` and
            ``raw`` that holds whole numbers, and says which; of a file, None takes what ``dataset=file`` does.
        values: what the matrix holds.
        markers: also rank marker genes of the consensus clusters.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"``.
        out: folder for page, tables and the store of the runs, from which the same call goes on after a stop; None
            writes nothing and keeps no runs.
        progress: show the runs as they go on.
        settings: anything else of the command line, with ``__`` for a dot: ``engine="slurm"``,
            ``engine__timeout_min=60``, ``dataset__label_path="labels.csv"``.

    Returns:
        The comparison.

    Raises:
        ConfigError: an unknown method, parameter, layer, label or setting.
        DataError: no counts, cell names that come twice, more clusters than cells, or no run that is ok.
        StoreError: ``out`` cannot be written.

    Warns:
        UserWarning: cells without a count, identical cells, spike-ins, features that are no genes (left out).
    """
    with speaking_python():
        if isinstance(n_seeds, bool) or not isinstance(n_seeds, int) or n_seeds < 1:
            raise ConfigError(f"n_seeds must be a whole number of at least 1, got {n_seeds!r}")
        chosen = methods if isinstance(methods, Mapping) else {name: {} for name in _listed(methods)}
        of_methods = {
            name: [f"method.{key}={literal(value)}" for key, value in its_own.items()]
            for name, its_own in chosen.items()
        }
        common = [f"seeds={n_seeds}", f"n_clusters={n_clusters}", f"device={literal(device)}"]
        common += [f"{name.replace('__', '.')}={literal(value)}" for name, value in settings.items()]
        with _folder(out) as folder:
            if isinstance(data, (str, Path)):
                given = [f"dataset.path={literal(str(data))}", f"dataset.values={values}"]
                given += [f"dataset.label={NO_LABELS if label_key is None else literal(label_key)}"]
                given += [] if layer is None else [f"dataset.matrix={literal(layer)}"]
            else:
                path, lines = _as_file(data, layer, values, label_key, folder)
                for line in lines:
                    warnings.warn(line, stacklevel=2)
                given = [f"dataset.path={literal(str(path))}", "dataset.name=cells"]
                given += [f"dataset.values={'counts' if values == 'counts' else 'log_normalised'}"]
                given += [f"dataset.label={NO_LABELS if label_key is None else LABEL}"]
            found = compared(of_methods, [*given, *common], folder, markers=markers, progress=progress)
            if out is not None:
                found.write(folder)
        return found


def compared(
    methods: Mapping[str, Sequence[str]], common: Sequence[str], folder: Path, *, markers: bool, progress: bool
) -> Comparison:
    """Return the comparison that overrides of the command line ask for.

    Args:
        methods: a method's own overrides, by method.
        common: those of cells, seeds and engine.
        folder: gets the store of the runs.
        markers, progress: see :func:`compare`.

    Raises:
        ScbenchError: see :func:`compare`.
    """
    store = f"store={literal(str(folder / 'runs'))}"
    dataset, runs = runs_of(methods, ["dataset=file", *common, store], progress=progress)
    return _compared(dataset, runs, has_markers=markers)


def _listed(methods: Sequence[str]) -> list[str]:
    """Return the names, each once; a single text is refused, since its letters are no methods."""
    if isinstance(methods, str):
        raise ConfigError(f"methods must be a list of names, got the text {methods!r}; write [{methods!r}]")
    return list(methods)


@contextmanager
def _folder(out: Path | str | None) -> Iterator[Path]:
    """Yield the folder of a comparison, a temporary one without ``out``."""
    if out is not None:
        yield Path(out)
        return
    with tempfile.TemporaryDirectory(prefix="scbench-compare-") as folder:
        yield Path(folder)


def _as_file(
    data: object, layer: str | None, values: Literal["counts", "log_normalised", "linear"], label_key: str | None,
    folder: Path,
) -> tuple[Path, list[str]]:  # fmt: skip
    """Return the file that the runs read, and what the user should know."""
    labels = None if label_key is None else _labels_of(data, label_key)
    checked = checked_counts(data, layer, values)
    names = cell_names_of(data, checked.counts.matrix.shape[0])
    return write_cells(checked.counts, names, labels, folder), checked.lines


def _labels_of(data: object, key: str) -> np.ndarray:
    """Return the annotated types, (n_cells,) str."""
    if not is_anndata(data):
        raise ConfigError(f"label_key={key!r} is a column of obs and needs an AnnData, got {type(data).__name__}")
    if key not in data.obs:
        raise ConfigError(unknown("label_key", key, list(data.obs)))
    column = data.obs[key]
    n_missing = int(column.isna().sum())
    if n_missing:
        raise DataError(
            f"label_key={key!r} misses {n_missing} of {len(column)} cells; compare adata[adata.obs[{key!r}].notna()], "
            "or leave label_key out"
        )
    return np.asarray(column.astype(str))


def _compared(dataset: Dataset, runs: Sequence[MethodRuns], *, has_markers: bool) -> Comparison:
    """Return what the runs come to."""
    counts = dataset.counts()
    space = FixedSpace(counts, dataset.cache(counts.matrix))
    agreed = {one.name: method_consensus(one) for one in runs}
    joint = _joint(agreed)
    names = dataset.cells()
    if names is None:
        raise RuntimeError("a file of the user's own has no names of cells")
    index = pd.Index(names, name="cell")
    labels = {name: numbered_alike(one.labels, joint.labels) for name, one in agreed.items()}
    labels[CONSENSUS] = joint.labels
    sure = {name: one.agreement for name, one in agreed.items()} | {CONSENSUS: joint.agreement}
    return Comparison(
        name=dataset.name,
        table=table_of(runs, agreed, space),
        labels=pd.DataFrame(labels, index=index),
        agreement=agreement_of(agreed),
        cells=pd.DataFrame(sure, index=index),
        clusters=clusters_of(joint, agreed),
        points=space.components,
        seeds={one.name: one.labels for one in runs},
        markers=marker_table(counts, joint.labels) if has_markers else None,
        notes=_notes(dataset, runs, agreed, joint),
    )


def _joint(agreed: Mapping[str, Consensus]) -> Consensus:
    """Return the consensus of all methods, each counting once; of one method, its own."""
    if len(agreed) == 1:
        return next(iter(agreed.values()))
    return consensus([one.labels for one in agreed.values()])


def _notes(
    dataset: Dataset, runs: Sequence[MethodRuns], agreed: Mapping[str, Consensus], joint: Consensus
) -> tuple[str, ...]:
    """Return what a reader must know."""
    rules = sorted({str(record.get("n_clusters_rule")) for one in runs for record in one.row.cell.ok})
    given = sorted({one.row.cell.k_given for one in runs})
    notes = [
        f"{dataset.n_cells} cells, {dataset.n_genes} genes; clusters asked for: {', '.join(given)} "
        f"(n_clusters={', '.join(rules)})"
    ]
    notes += dataset.warnings
    for name, one in {**agreed, "all methods": joint}.items():
        if one.attached > 0:
            notes.append(
                f"consensus of {name}: {one.attached:.1%} of the cells were put to the nearest cluster of the tree"
            )
    failed = [f"{one.name}: {len(one.row.cell.failures)}" for one in runs if one.row.cell.failures]
    if failed:
        notes.append(f"failed runs, which no number counts ({'; '.join(failed)})")
    return tuple(notes)
