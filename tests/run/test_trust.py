"""What a stranger's package can do: nothing to the runs of other methods, nothing to its own scores, and see no label.

Each package here is installed as any other, beside scbench's own methods, and run by the command.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from scbench.data.config import SimulatedDataset
from scbench.data.simulate import simulate
from scbench.store.store import Store, load

N_CELLS, N_TYPES = 150, 3
CHANCE = 0.15  # ARI of a random partition of so many cells stays far below

_CONFIG = """
from dataclasses import dataclass
from typing import ClassVar
from scbench.method import MethodConfig

@dataclass(frozen=True)
class TheConfig(MethodConfig):
    USES_TORCH: ClassVar[bool] = {uses_torch}
    name: str = "{name}"
"""
_METHOD = """
import gc, os, sys, types
from functools import partial
from pathlib import Path
import numpy as np
from scbench.method import Clustering

def cells(found, n):
    '''Return codes when something is a label for each cell.'''
    array = np.asarray(found) if isinstance(found, (np.ndarray, list, tuple)) else np.empty(0)
    if array.shape == (n,) and array.dtype.kind in "USO":
        return np.unique(array.astype(str), return_inverse=True)[1]
    return None

def labels_of(item):
    '''Return what something says when it is asked for labels, or what lies at the path that it has for them.'''
    try:
        if callable(getattr(type(item), "labels", None)):
            return item.labels()
    except Exception:
        return None

def below(root, deepest=8):
    '''Yield what can be reached from something.'''
    seen, waiting = set(), [(root, 0)]
    while waiting:
        item, depth = waiting.pop()
        if id(item) in seen or depth > deepest or isinstance(item, (type, types.ModuleType)):
            continue
        seen.add(id(item))
        yield item
        parts = []
        if isinstance(item, dict):
            parts = list(item.values())
        elif isinstance(item, (list, tuple, set)):
            parts = list(item)
        elif isinstance(item, partial):
            parts = [item.func, *item.args]
        elif isinstance(item, types.FunctionType):
            parts = [cell.cell_contents for cell in item.__closure__ or ()]
        elif isinstance(item, types.MethodType):
            parts = [item.__self__]
        parts += list(getattr(item, "__dict__", {{}}).values())
        waiting += [(part, depth + 1) for part in parts]

def from_file(path, n):
    '''Return labels from a file of any kind.'''
    try:
        if path.suffix in (".h5", ".h5ad"):
            import h5py
            with h5py.File(path) as file:
                return cells(file["Y"].asstr()[:], n)
        return cells(np.load(path, allow_pickle=False), n)
    except Exception:
        return None

def blocks(place_in_file, k):
    '''Return clusters that cut the order of the file into pieces.'''
    return np.asarray(place_in_file) * k // len(place_in_file)

class TheMethod:
    def __init__(self, config):
        self.config = config

    def fit_predict(self, counts, n_clusters, run):
        n = counts.matrix.shape[0]
        labels, info = None, {{}}
{body}
        if labels is None:
            labels = run.rng.integers(n_clusters, size=n)
        return Clustering(np.asarray(labels), info=info)
"""
_BY_FILE = "        order = np.random.default_rng([0x5CBE, run.seed]).permutation(n)  # drawn anew, as scbench does\n"
# Labels are in file order, and a peeker takes the order that it can draw into account.
PEEKS = {
    "frames": _BY_FILE
    + """
        frame = sys._getframe()
        while frame is not None and labels is None:
            for item in below(dict(frame.f_locals)):
                found = cells(item, n)
                found = cells(labels_of(item), n) if found is None else found
                if found is not None:
                    labels = found[order]
            frame = frame.f_back
""",
    "garbage": _BY_FILE
    + """
        for item in gc.get_objects():
            found = cells(labels_of(item), n)
            if found is not None:
                labels = found[order]
            path = item.get("labels_path") if isinstance(item, dict) else None
            found = from_file(path, n) if isinstance(path, Path) else None
            labels = labels if found is None else found[order]
""",
    "cache_folder": _BY_FILE
    + """
        folders = {item for item in below(run.cache) if isinstance(item, Path)}
        info["n_folders"] = len(folders)
        for folder in folders:
            for root in (folder, *folder.parents[:3]):
                for path in sorted(root.rglob("*")):
                    if path.is_file() and labels is None:
                        found = from_file(path, n)
                        labels = None if found is None else found[order]
""",
    "cached_order": """
        order = next(item for item in below(run.cache) if isinstance(item, np.ndarray) and item.shape == (n,))
        labels = blocks(order, n_clusters)
""",
    "computed_order": """
        from scbench.inputs import Derived
        seen = []
        def compute(matrix, cache):
            seen.append(matrix)
            return Derived()
        run.cache.get(counts.matrix, "mine", {"seed": run.seed}, compute)
        (given,) = seen
        place = {row.tobytes(): i for i, row in enumerate(given.toarray())}
        labels = blocks([place[row.tobytes()] for row in counts.matrix.toarray()], n_clusters)
""",
    "drawn_order": _BY_FILE
    + """
        labels = blocks(order, n_clusters)
""",
    "arguments": _BY_FILE
    + """
        words = [*sys.argv, *sys.orig_argv, *os.environ.values(), os.getcwd()]
        for name in ("cmdline", "environ"):
            words += Path("/proc/self", name).read_text().split("\\0")
        frame = sys._getframe()
        while frame is not None:
            words += [item for item in below(dict(frame.f_locals)) if isinstance(item, str)]
            frame = frame.f_back
        for word in words:
            path = Path(word.rpartition("=")[2])
            if labels is None and path.suffix and path.is_file():
                found = from_file(path, n)
                labels = None if found is None else found[order]
""",
}
_STEAL = """
import numpy
def perfect(*_, **__):
    return dict.fromkeys(("acc", "nmi", "ari", "ami", "homogeneity", "completeness", "f1_macro", "nmi_max"), 1.0)
def replace():
    import sys
    import scbench.metrics, scbench.metrics.external
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("scbench") and callable(getattr(module, "score", None)):
            module.score = perfect
    scbench.metrics.score = scbench.metrics.external.score = perfect
replace()
"""


def install(site: Path, name: str, body: str, *, at_import: str = "", in_init: str = "", torch: bool = False) -> None:
    """Write a package with a method."""
    package = site / f"pkg_{name}"
    (package / "conf" / "method").mkdir(parents=True)
    (package / "__init__.py").write_text(in_init)
    (package / "conf" / "__init__.py").write_text("")
    (package / "conf" / "method" / f"{name}.yaml").write_text(f"defaults: [{name}_schema, _self_]\nname: {name}\n")
    (package / "config.py").write_text(_CONFIG.format(name=name, uses_torch=torch))
    (package / "method.py").write_text(at_import + _METHOD.format(body=body))
    info = site / f"pkg_{name}-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: pkg-{name}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[scbench.methods]\n{name} = pkg_{name}\n")


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    """A file of cells in the order of their types."""
    made = simulate(SimulatedDataset(name="s", n_cells=N_CELLS, n_genes=80, n_types=N_TYPES, dropout=0.0))
    labels = np.array([f"type {label}" for label in np.asarray(made.labels)])
    rows = np.argsort(labels, kind="stable")
    path = tmp_path / "cells.h5"
    with h5py.File(path, "w") as file:
        file["X"], file["Y"] = made.matrix[rows].toarray(), labels[rows].astype("S")
    return path


def scbench(tmp_path: Path, path: Path, store: str, methods: str, *more: str, cache: str = "cache") -> pd.DataFrame:
    """Run a sweep in a process of its own, where all packages of ``site`` are installed."""
    command = ["-m", f"method={methods}", "dataset=file", f"dataset.path={path}", f"store={tmp_path / store}"]
    inherited = os.environ.get("PYTHONPATH")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(tmp_path / "site"), *([inherited] if inherited else [])]),
        "SCBENCH_CACHE": str(tmp_path / cache),
        "SCBENCH_DATA_PATH": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-m", "scbench", *command, "device=cpu", *more],
        capture_output=True,
        text=True,
        env=environment,
        timeout=240,
    )
    assert done.returncode in (0, 1), done.stderr
    return load(tmp_path / store).set_index(["method", "seed"]).sort_index()


def labels_of(tmp_path: Path, store: str, records: pd.DataFrame, method: str, seed: int) -> np.ndarray:
    record = records.loc[(method, seed)]
    return np.load(Store(tmp_path / store).folder(record["dataset"], method, record["key"]) / "labels.npy")


def test_no_way_to_peek_scores(tmp_path: Path, cells: Path) -> None:
    for name, body in PEEKS.items():
        install(tmp_path / "site", name, body)
    records = scbench(tmp_path, cells, "store", ",".join(PEEKS), "seeds=2")
    assert len(records) == 2 * len(PEEKS)
    assert (records["status"] == "ok").all(), records["error.traceback"].dropna().to_list()
    assert records.loc["cache_folder", "info.n_folders"].gt(0).all(), "the peeker does not reach the cache"
    seen = records.loc[records["metrics.ari"] > CHANCE, "metrics.ari"]
    assert seen.empty, f"labels were seen: {seen.to_dict()}"


def test_a_replaced_scorer_scores_nobody(tmp_path: Path, cells: Path) -> None:
    install(tmp_path / "site", "thief", "        replace()", at_import=_STEAL)
    install(tmp_path / "site", "early_thief", "", in_init=_STEAL)
    records = scbench(tmp_path, cells, "store", "random,thief,early_thief", "seeds=2")
    assert (records["status"] == "ok").all(), records["error.traceback"].dropna().to_list()
    assert records["metrics.ari"].lt(CHANCE).all(), records["metrics.ari"].to_dict()
    assert records["metrics.acc"].lt(0.6).all(), records["metrics.acc"].to_dict()


def test_what_a_package_does_at_import_stays_in_its_own_runs(tmp_path: Path, cells: Path) -> None:
    doubles = "import torch\ntorch.set_default_dtype(torch.float64)\n"
    no_logs = "import numpy, scbench.preprocessing.prepare\nnumpy.log1p = numpy.sqrt\n"
    (tmp_path / "site").mkdir()
    alone = scbench(tmp_path, cells, "alone", "cicl", "seeds=1")
    install(tmp_path / "site", "doubles", "        info['dtype'] = str(torch.get_default_dtype())", at_import=doubles,
            torch=True)  # fmt: skip
    install(tmp_path / "site", "early_doubles", "", in_init=doubles, torch=True)
    # It fills the cache of inputs first, with wrong values.
    body = """
        from scbench.preprocessing.prepare import STANDARD_RECIPE, prepare
        prepare(counts, STANDARD_RECIPE, run.cache)
"""
    install(tmp_path / "site", "no_logs", body, at_import=no_logs)
    scbench(tmp_path, cells, "beside", "no_logs", "seeds=1", cache="fresh")
    beside = scbench(tmp_path, cells, "beside", "doubles,early_doubles,cicl", "seeds=1", cache="fresh")
    assert (beside["status"] == "ok").all(), beside["error.traceback"].dropna().to_list()
    assert (beside.loc["doubles", "info.dtype"] == "torch.float64").all(), "the package does not do what it should"
    np.testing.assert_array_equal(
        labels_of(tmp_path, "beside", beside, "cicl", 0), labels_of(tmp_path, "alone", alone, "cicl", 0)
    )


LIES = {
    # Says that it equals everything, sorts to anything, and has the shape it is asked for.
    "subclass": """
        class Liar(np.ndarray):
            def __eq__(self, other): return np.ones(len(self), bool)
            def __array__(self, *_, **__): return np.arange(n)
            def __array_function__(self, *_): return np.arange(n)
            def __array_ufunc__(self, *_, **__): return np.True_
            def astype(self, *_, **__): return np.arange(n)
            def min(self, *_, **__): return 0
        labels = np.zeros(n, np.int64).view(Liar)
        result = Clustering(np.zeros(n, np.int64))
        object.__setattr__(result, "labels", labels)
        return result
""",
    # A value for each time that it is read.
    "moody": """
        class Moody(Clustering):
            @property
            def labels(self):
                self.__dict__["n"] = self.__dict__.get("n", 0) + 1
                return np.full(n, min(self.__dict__["n"], 2) - 1)
            @labels.setter
            def labels(self, value): pass
            embedding = soft = None
            info = {}
        return Moody.__new__(Moody)
""",
}


def test_labels_are_what_is_stored_whatever_their_class_answers(tmp_path: Path, cells: Path) -> None:
    for name, body in LIES.items():
        install(tmp_path / "site", name, body)
    records = scbench(tmp_path, cells, "store", ",".join(LIES), "seeds=1")
    assert (records["status"] == "ok").all(), records["error.traceback"].dropna().to_list()
    assert records["n_clusters_found"].eq(1).all()
    assert records["metrics.ari"].eq(0).all()
    for method in LIES:
        stored = labels_of(tmp_path, "store", records, method, 0)
        assert (type(stored), stored.dtype, len(np.unique(stored))) == (np.ndarray, np.int64, 1)


def test_a_run_that_forges_its_outcome_or_its_messages_changes_no_score(tmp_path: Path, cells: Path) -> None:
    forge = """
        import json
        frame = sys._getframe()
        while "job" not in frame.f_locals or "connection" not in frame.f_locals:
            frame = frame.f_back
        job, connection = frame.f_locals["job"], frame.f_locals["connection"]
        np.save(job.work / "labels.npy", np.zeros(n, np.int64))
        perfect = {"status": "ok", "error": None, "info": {}, "seconds": {}, "metrics": {"ari": 1.0}, "key": "x"}
        (job.work / "outcome.json").write_text(json.dumps(perfect))
        (job.work / "record.json").write_text(json.dumps(perfect))
        connection.send_bytes(json.dumps(["ended", perfect]).encode())
        connection.send(("ended", perfect))  # pickled
        os._exit(0)
"""
    install(tmp_path / "site", "forger", forge)
    records = scbench(tmp_path, cells, "store", "forger,random", "seeds=1")
    assert (records["status"] == "ok").all(), records["error.message"].to_list()
    assert records["metrics.ari"].lt(CHANCE).all()
    assert records["key"].str.len().eq(64).all()


def test_a_method_that_calls_the_store_full_stops_nobody_else(tmp_path: Path, cells: Path) -> None:
    sabotage = "        from scbench.errors import StoreError\n        raise StoreError('no space left')"
    install(tmp_path / "site", "saboteur", sabotage)
    records = scbench(tmp_path, cells, "store", "saboteur,random", "seeds=2", "engine.cpu_slots=1")
    assert records.loc["random", "status"].to_list() == ["ok", "ok"]
    assert "ok" not in records.loc[["saboteur"], "status"].to_list()
