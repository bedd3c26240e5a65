"""The cache of derived inputs holds file order and gives back the order of the run."""

from __future__ import annotations

import multiprocessing
import shutil
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix, random_array

from scbench.data.cache import FileOrderCache
from scbench.inputs import Derived, InputCache, derive


def counts(n: int = 12) -> csr_matrix:
    return csr_matrix(random_array((n, 5), density=0.5, rng=np.random.default_rng(0), format="csr"), dtype=np.float32)


def everything(matrix: csr_matrix, cache: InputCache | None) -> Derived:
    """Return one array of each kind that depends on the cells in the way it says."""
    rows = np.asarray(matrix.sum(axis=1)).ravel()
    graph = csr_matrix(np.subtract.outer(rows, rows) * (np.subtract.outer(rows, rows) > 0))
    return Derived(
        per_cell={"rows": rows, "sparse": csr_matrix(matrix * 2)},
        cell_by_cell={"graph": graph},
        shared={"genes": np.sort(np.asarray(matrix.sum(axis=0)).ravel())},
    )


def cache_for(folder: Path, file_counts: csr_matrix, order: np.ndarray) -> tuple[csr_matrix, FileOrderCache]:
    permuted = csr_matrix(file_counts[order])
    return permuted, FileOrderCache(folder, permuted, order, lambda: file_counts)


def same(a: Derived, b: Derived) -> None:
    for part in ("per_cell", "cell_by_cell", "shared"):
        left, right = getattr(a, part), getattr(b, part)
        assert set(left) == set(right)
        for name in left:
            x, y = (v.toarray() if hasattr(v, "toarray") else v for v in (left[name], right[name]))
            np.testing.assert_allclose(x, y, rtol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_permuted_on_the_way_out_equals_computed_from_permuted(tmp_path: Path, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(12)
    permuted, cache = cache_for(tmp_path, counts(), order)
    same(derive(permuted, "all", {}, everything, cache), everything(permuted, None))


def test_computed_once_for_all_seeds(tmp_path: Path) -> None:
    calls: list[int] = []

    def counting(matrix: csr_matrix, cache: InputCache | None) -> Derived:
        calls.append(1)
        return everything(matrix, cache)

    for seed in range(4):
        order = np.random.default_rng(seed).permutation(12)
        permuted, cache = cache_for(tmp_path, counts(), order)
        derive(permuted, "all", {"k": 3}, counting, cache)
        assert cache.seconds > 0
    assert len(calls) == 1
    permuted, cache = cache_for(tmp_path, counts(), np.arange(12))
    derive(permuted, "all", {"k": 4}, counting, cache)
    assert len(calls) == 2, "other parameters are another entry"


def test_nested_inputs_are_cached_too(tmp_path: Path) -> None:
    calls: list[str] = []

    def outer(matrix: csr_matrix, cache: InputCache | None) -> Derived:
        calls.append("outer")
        inner_result = derive(matrix, "inner", {}, inner, cache)
        return Derived(per_cell={"twice": np.asarray(inner_result.per_cell["rows"]) * 2})

    def inner(matrix: csr_matrix, cache: InputCache | None) -> Derived:
        calls.append("inner")
        return Derived(per_cell={"rows": np.asarray(matrix.sum(axis=1)).ravel()})

    order = np.random.default_rng(1).permutation(12)
    permuted, cache = cache_for(tmp_path, counts(), order)
    twice = derive(permuted, "outer", {}, outer, cache).per_cell["twice"]
    rows = derive(permuted, "inner", {}, inner, cache).per_cell["rows"]
    assert calls == ["outer", "inner"]
    np.testing.assert_allclose(twice, 2 * np.asarray(rows))
    np.testing.assert_allclose(rows, np.asarray(permuted.sum(axis=1)).ravel())


@pytest.mark.parametrize("what", ["scbench", "the computation's own module"])
def test_a_change_of_code_computes_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    calls: list[int] = []

    def counting(matrix: csr_matrix, cache: InputCache | None) -> Derived:
        calls.append(1)
        return everything(matrix, cache)

    source = tmp_path / "own_method.py"
    source.write_text("version = 1")
    module = types.ModuleType("own_method")
    module.__file__ = str(source)
    monkeypatch.setitem(sys.modules, "own_method", module)
    counting.__module__ = "own_method"
    permuted, cache = cache_for(tmp_path / "cache", counts(), np.arange(12))
    for _ in range(2):
        derive(permuted, "all", {}, counting, cache)
    assert len(calls) == 1
    if what == "scbench":
        monkeypatch.setattr("scbench.data.cache.code_fingerprint", lambda: "changed")
    else:
        source.write_text("version = 2")
    derive(permuted, "all", {}, counting, cache)
    assert len(calls) == 2


def test_another_matrix_is_never_looked_up(tmp_path: Path) -> None:
    permuted, cache = cache_for(tmp_path, counts(), np.arange(12))
    derive(permuted, "all", {}, everything, cache)
    subset = csr_matrix(permuted[:6])
    same(derive(subset, "all", {}, everything, cache), everything(subset, None))


def test_a_damaged_entry_is_computed_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    permuted, cache = cache_for(tmp_path, counts(), np.arange(12))
    derive(permuted, "all", {}, everything, cache)
    (entry,) = (path for path in tmp_path.iterdir() if path.is_dir())
    (entry / "per_cell" / "rows.npy").write_bytes(b"\x93NUMPY broken")
    same(derive(permuted, "all", {}, everything, cache), everything(permuted, None))
    assert "is damaged" in caplog.text
    shutil.rmtree(entry / "shared")
    same(derive(permuted, "all", {}, everything, cache), everything(permuted, None))


def test_a_folder_that_cannot_be_written_costs_time_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    permuted, cache = cache_for(tmp_path / "file" / "cache", counts(), np.arange(12))
    same(derive(permuted, "all", {}, everything, cache), everything(permuted, None))
    assert "cannot be used" in caplog.text


def slow_and_counted(matrix: csr_matrix, cache: InputCache | None) -> Derived:
    import os
    import time

    with open(os.environ["SCBENCH_TEST_TRACE"], "a") as file:
        file.write("x")
    time.sleep(0.3)
    return everything(matrix, cache)


def get_in_a_process(folder: str, seed: int, results: Any) -> None:
    order = np.random.default_rng(seed).permutation(12)
    permuted, cache = cache_for(Path(folder), counts(), order)
    derived = derive(permuted, "all", {}, slow_and_counted, cache)
    expected = np.asarray(permuted.sum(axis=1)).ravel()
    results.put(bool(np.allclose(derived.per_cell["rows"], expected)))


def test_concurrent_writers_compute_once_and_all_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trace = tmp_path / "trace"
    monkeypatch.setenv("SCBENCH_TEST_TRACE", str(trace))
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    processes = [
        context.Process(target=get_in_a_process, args=(str(tmp_path / "cache"), seed, results)) for seed in range(4)
    ]
    for process in processes:
        process.start()
    assert [results.get(timeout=60) for _ in processes] == [True] * 4
    for process in processes:
        process.join()
    assert trace.read_text() == "x"


@pytest.mark.parametrize("seed", [0, 1])
def test_real_inputs_from_the_cache_equal_those_of_the_permuted_counts(tmp_path: Path, seed: int) -> None:
    from scbench.graph.neighbours import neighbour_graph
    from scbench.method import Counts
    from scbench.preprocessing.prepare import STANDARD_RECIPE, prepare, principal_components
    from scbench.testing import toy_counts

    in_file_order = toy_counts(150, 300).matrix
    order = np.random.default_rng(seed).permutation(150)
    permuted, cache = cache_for(tmp_path, in_file_order, order)
    counts_of_run, fresh = Counts(permuted), Counts(permuted.copy())
    cached, direct = prepare(counts_of_run, STANDARD_RECIPE, cache), prepare(fresh, STANDARD_RECIPE)
    np.testing.assert_allclose(cached.x, direct.x, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(cached.counts.toarray(), direct.counts.toarray())
    np.testing.assert_allclose(cached.size_factors, direct.size_factors)
    np.testing.assert_array_equal(cached.genes, direct.genes)
    np.testing.assert_allclose(
        principal_components(counts_of_run, STANDARD_RECIPE, 10, cache),
        principal_components(fresh, STANDARD_RECIPE, 10),
        atol=2e-3,
    )
    np.testing.assert_allclose(
        neighbour_graph(counts_of_run, STANDARD_RECIPE, 10, 15, cache).toarray(),
        neighbour_graph(fresh, STANDARD_RECIPE, 10, 15).toarray(),
        atol=2e-3,
    )


@pytest.mark.parametrize("module", ["inputs", "preprocessing.pca", "preprocessing.hvg", "graph.umap_weights"])
def test_every_block_that_computes_inputs_takes_part_in_their_keys(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scbench.data.cache import code_fingerprint

    before = code_fingerprint.__wrapped__()
    changed = Path(*f"scbench/{module.replace('.', '/')}.py".split("/"))
    read = Path.read_bytes
    monkeypatch.setattr(
        Path, "read_bytes", lambda path: read(path) + b"#" * path.as_posix().endswith(changed.as_posix())
    )
    assert code_fingerprint.__wrapped__() != before
