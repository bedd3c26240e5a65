"""Labels never reach a method."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from functools import partial
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from scbench.__main__ import main
from scbench.config.schema import RunConfig
from scbench.data.config import FileDataset, SimulatedDataset
from scbench.data.load import open_dataset
from scbench.data.simulate import simulate
from scbench.data.stored_order import stored_order
from scbench.method import Clustering, Counts, RunContext
from scbench.plugins import Plugin, discover, find
from scbench.run.local.job import Job
from scbench.run.local.one_run import do_run
from scbench.run.local.wire import Wire
from scbench.run.plan import plan_runs
from scbench.run.seeding import row_order
from scbench.store.store import Store, load

SIMULATED = simulate(SimulatedDataset(name="s", n_cells=90, n_genes=150, n_types=3, dropout=0.0))


def write_h5(path: Path, rows: np.ndarray, labels: np.ndarray) -> Path:
    with h5py.File(path, "w") as file:
        file["X"] = SIMULATED.matrix[rows].toarray()
        file["Y"] = np.array([str(label) for label in labels], dtype="S")
    return path


def results(store: Path, path: Path, methods: list[str], *more: str) -> dict[tuple[str, int], dict[str, np.ndarray]]:
    names = ",".join(methods)
    assert (
        main(["-m", f"method={names}", "dataset=file", f"dataset.path={path}", f"store={store}", "device=cpu", *more])
        == 0
    )
    found = {}
    for record in load(store).itertuples():
        folder = Store(store).folder(record.dataset, record.method, record.key)
        arrays = {p.stem: np.load(p) for p in folder.glob("*.npy")}
        found[record.method, record.seed] = arrays
    return found


def all_results(
    store: Path, path: Path, short: dict[str, dict[str, int]]
) -> dict[tuple[str, int], dict[str, np.ndarray]]:
    """Return the results of all methods, two seeds each, those that train for a few epochs."""
    results(store, path, [name for name in discover() if name not in short], "seeds=2")
    for name, keys in short.items():
        found = results(store, path, [name], "seeds=2", *(f"method.{key}={value}" for key, value in keys.items()))
    return found


def test_every_method_gives_the_same_with_shuffled_labels(
    tmp_path: Path, short_training: dict[str, dict[str, int]]
) -> None:
    labels = np.asarray(SIMULATED.labels)
    shuffled = np.random.default_rng(0).permutation(labels)
    assert (shuffled != labels).mean() > 0.3
    rows = np.arange(90)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    true = all_results(tmp_path / "st_a", write_h5(tmp_path / "a" / "x.h5", rows, labels), short_training)
    fake = all_results(tmp_path / "st_b", write_h5(tmp_path / "b" / "x.h5", rows, shuffled), short_training)
    assert len(true) == len(fake) == 2 * len(discover())
    for run, arrays in true.items():
        assert set(arrays) == set(fake[run])
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, fake[run][name], err_msg=f"{run} {name}")


def test_results_are_put_back_in_file_order(tmp_path: Path, toy_installed: None) -> None:
    """The toy's embedding is each cell's library size, so a wrong order shows in every row."""
    labels = np.asarray(SIMULATED.labels)
    library = np.asarray(SIMULATED.matrix.sum(axis=1)).ravel()
    for name, rows in (("as_is", np.arange(90)), ("moved", np.random.default_rng(1).permutation(90))):
        (tmp_path / name).mkdir()
        found = results(
            tmp_path / f"st_{name}",
            write_h5(tmp_path / name / "x.h5", rows, labels[rows]),
            ["toy"],
            "seeds=2",
            "protocol=published",
        )
        for seed in (0, 1):
            arrays = found["toy", seed]
            np.testing.assert_allclose(arrays["embedding"][:, 0], library[rows])
            ranks = np.argsort(np.argsort(library[rows]))
            if len(np.unique(library)) == 90:
                np.testing.assert_array_equal(arrays["labels"], ranks * 3 // 90)
        for snapshots in (tmp_path / f"st_{name}").rglob("snapshots.npz"):
            stored = np.load(snapshots)
            assert stored["epochs"].tolist() == [0, 1, 2]
            final = np.load(snapshots.with_name("labels.npy"))
            np.testing.assert_array_equal(stored["labels"][2], final)
            np.testing.assert_array_equal(stored["labels"][1], (final + 1) % 3)


def test_each_seed_sees_another_row_order(tmp_path: Path) -> None:
    orders = [row_order(50, seed) for seed in range(3)]
    for order in orders:
        assert sorted(order) == list(range(50))
    assert not np.array_equal(orders[0], orders[1])
    np.testing.assert_array_equal(orders[2], row_order(50, 2))


def reachable(root: object) -> Iterator[object]:
    """Yield everything that can be reached from an object without imports: attributes, items, closures."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        item = waiting.pop()
        if id(item) in seen or isinstance(item, type | types.ModuleType):
            continue
        seen.add(id(item))
        yield item
        if isinstance(item, Mapping):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, list | tuple | set | frozenset):
            waiting += list(item)
        elif isinstance(item, partial):
            waiting += [item.func, *item.args, *item.keywords.values()]
        elif isinstance(item, types.MethodType):
            waiting += [item.__self__, item.__func__]
        elif isinstance(item, types.FunctionType):
            waiting += [cell.cell_contents for cell in item.__closure__ or ()]
            waiting += [*(item.__defaults__ or ()), *(item.__kwdefaults__ or {}).values()]
        for name in getattr(type(item), "__slots__", ()):
            waiting.append(getattr(item, name, None))
        waiting += list(getattr(item, "__dict__", {}).values())


class Spy:
    """A method that keeps what it is given."""

    seen: tuple[Counts, int, RunContext]

    def fit_predict(self, counts: Counts, n_clusters: int, run: RunContext) -> Clustering:
        Spy.seen = (counts, n_clusters, run)
        return Clustering(np.zeros(counts.matrix.shape[0], dtype=np.int64))


def test_nothing_label_like_can_be_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = np.array([f"secret-type-{label}" for label in np.asarray(SIMULATED.labels)])
    path = write_h5(tmp_path / "secretname.h5", np.arange(90), labels)
    dataset = open_dataset(FileDataset(name="file", path=str(path)))
    monkeypatch.setattr(Plugin, "create", lambda self, config: Spy())
    config = RunConfig(method=find("random").config_class()(), dataset=None, engine=None, seeds=[3])
    (run,) = plan_runs(config, dataset)
    store = Store(tmp_path / "store")
    job = Job(run, "cpu", "", 1, store.root, store.work_folder(run.run_id), {}).for_fit()
    do_run(job, {}, Wire(Pipe()[1]))

    of_file = stored_order(SIMULATED.matrix, is_counts=True)
    order = of_file[row_order(90, 3)]
    in_file_order = SIMULATED.matrix.toarray()
    assert not np.array_equal(order, np.arange(90))
    np.testing.assert_array_equal(Spy.seen[0].matrix.toarray(), in_file_order[order])

    codes = np.unique(labels, return_inverse=True)[1]
    forbidden = [codes, codes[np.argsort(codes)], *(f(o) for o in (of_file, order) for f in (np.asarray, np.argsort))]
    items = list(reachable((Spy.seen, job)))
    assert any(item is Spy.seen[0].matrix for item in items), "the walk does not work"
    assert any(isinstance(item, Path) for item in items), "the walk does not reach the cache"
    for item in items:
        if isinstance(item, np.ndarray):
            assert item.dtype.kind not in "US", f"text reaches the method: {item[:3]}"
            if item.shape == codes.shape and item.dtype.kind in "iu":
                assert not any(np.array_equal(item, array) for array in forbidden)
        if isinstance(item, str | bytes | Path):
            text = str(item)
            for secret in ("secret", "label", str(dataset.labels_path)):
                assert secret not in text.replace(str(tmp_path), ""), text
        assert item not in (dataset.sha256, run.key) if isinstance(item, str) else True
        assert not isinstance(item, type(dataset)), "the dataset, which knows its labels, can be reached"


def test_the_contract_has_no_place_for_labels() -> None:
    import dataclasses
    import inspect

    assert [field.name for field in dataclasses.fields(Counts)] == ["matrix", "genes", "is_counts"]
    for name in discover():
        plugin = find(name)
        method: Any = plugin.create(plugin.config_class()(name=name))
        assert list(inspect.signature(method.fit_predict).parameters) == ["counts", "n_clusters", "run"]
