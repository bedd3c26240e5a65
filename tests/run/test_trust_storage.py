"""What lies in the cache tells neither the order of a file nor its labels, and what runs say is only data."""

from __future__ import annotations

import os
import pickle
import sys
from multiprocessing import Pipe
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from scbench.data.config import SimulatedDataset
from scbench.data.dataset import Dataset
from scbench.data.load import open_dataset
from scbench.data.sealed import read_sealed, write_sealed
from scbench.data.stored_order import stored_order
from scbench.errors import DataError
from scbench.run.local import process
from scbench.run.local.wire import Wire
from scbench.testing import toy_counts


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    monkeypatch.setenv("SCBENCH_CACHE", str(tmp_path / "cache"))
    return open_dataset(SimulatedDataset(name="simulated", n_cells=60, n_genes=40, n_types=3))


def test_the_stored_order_is_a_permutation_that_the_counts_decide() -> None:
    matrix = toy_counts(60, 40).matrix
    order = stored_order(matrix, is_counts=True)
    assert sorted(order) == list(range(60))
    np.testing.assert_array_equal(order, stored_order(matrix.copy(), is_counts=True))
    changed = matrix.copy()
    changed.data[0] += 1
    assert not np.array_equal(order, stored_order(changed, is_counts=True))


def test_the_stored_order_cannot_be_had_from_the_rows_in_another_order() -> None:
    """A method has the rows as they are stored; drawing from these gives another permutation than the file's."""
    matrix = toy_counts(200, 40).matrix
    order = stored_order(matrix, is_counts=True)
    of_method = stored_order(csr_matrix(matrix[order]), is_counts=True)
    assert (order[of_method] == np.arange(200)).sum() < 10
    assert abs(np.corrcoef(np.argsort(of_method), order)[0, 1]) < 0.3


def test_last_digits_of_values_that_are_no_counts_do_not_decide_the_order() -> None:
    matrix = toy_counts(60, 40).matrix
    logs = csr_matrix((np.log1p(matrix.data), matrix.indices, matrix.indptr), shape=matrix.shape)
    other = csr_matrix((np.nextafter(logs.data, np.float32(9)), logs.indices, logs.indptr), shape=logs.shape)
    np.testing.assert_array_equal(stored_order(logs, is_counts=False), stored_order(other, is_counts=False))
    full = csr_matrix(logs.toarray() + 1)
    swapped = csr_matrix(full.toarray()[::-1])
    assert not np.array_equal(stored_order(full, is_counts=False), stored_order(swapped, is_counts=False))


def test_counts_labels_and_order_come_back_as_they_were(dataset: Dataset) -> None:
    order, stored, counts, labels = dataset.order(), dataset.stored.counts(), dataset.counts(), dataset.labels()
    assert not np.array_equal(order, np.arange(60))
    np.testing.assert_array_equal(order, stored_order(counts.matrix, is_counts=True))
    np.testing.assert_array_equal(stored.matrix.toarray(), counts.matrix.toarray()[order])
    assert labels is not None
    assert len(labels) == 60


def test_nothing_in_the_cache_shows_labels_or_the_name(dataset: Dataset, tmp_path: Path) -> None:
    labels = dataset.labels()
    assert labels is not None
    codes = np.unique(labels, return_inverse=True)[1]
    files = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert len(files) > 5
    for path in files:
        content = path.read_bytes()
        assert b"simulated" not in content
        assert not any(str(label).encode() in content for label in set(labels) if len(str(label)) > 2)
        if path.suffix == ".npy":
            array = np.load(path, allow_pickle=False)
            assert not any(np.array_equal(array, one) for one in (codes, codes[dataset.order()], dataset.order()))


def test_sealed_arrays_need_their_key_and_their_name(tmp_path: Path) -> None:
    arrays = {"codes": np.arange(5), "types": np.array(["a", "b"])}
    write_sealed(tmp_path / "one", arrays, "key")
    found = read_sealed(tmp_path / "one", "key")
    assert {name: array.tolist() for name, array in found.items()} == {"codes": [0, 1, 2, 3, 4], "types": ["a", "b"]}
    with pytest.raises(ValueError, match="one is damaged"):
        read_sealed(tmp_path / "one", "another key")
    (tmp_path / "one").rename(tmp_path / "two")
    with pytest.raises(ValueError, match="two is damaged"):
        read_sealed(tmp_path / "two", "key")


def test_damaged_labels_are_an_error_that_says_what_to_do(dataset: Dataset) -> None:
    assert dataset.labels_path is not None
    dataset.labels_path.write_bytes(dataset.labels_path.read_bytes()[:-7])
    with pytest.raises(DataError, match="the cached labels in .* are damaged .*; delete .* and run again"):
        dataset.labels()


class Bomb:
    """Does something where it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return eval, ("1 / 0",)


def test_a_message_is_data_and_a_pickle_is_refused() -> None:
    ours, theirs = Pipe()
    Wire(theirs).send(("report", np.int64(3), np.float32(0.5), {"loss": float("nan")}))
    kind, number, value, more = Wire(ours).recv()
    assert (kind, number, value) == ("report", 3, 0.5)
    assert more["loss"] != more["loss"]
    theirs.send_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ValueError, match="decode"):
        Wire(ours).recv()


def test_a_process_that_is_started_is_not_told_what_the_command_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Process:
        def start(self) -> None:
            self.argv, self.names = list(sys.argv), [name for name in os.environ if name.startswith("SCBENCH_")]

    monkeypatch.setattr(sys, "argv", ["scbench", "dataset.path=secret.h5"])
    monkeypatch.setenv("SCBENCH_DATA_PATH", "/secret")
    monkeypatch.setenv("SCBENCH_WARM_MODULES", "numpy")
    started = Process()
    process.start_process(started)  # type: ignore[arg-type]
    assert (started.argv, started.names) == (["scbench"], ["SCBENCH_WARM_MODULES"])
    assert (sys.argv[1], os.environ["SCBENCH_DATA_PATH"]) == ("dataset.path=secret.h5", "/secret")
    process.forget_surroundings()
    assert sys.argv == ["scbench"]
    assert not [name for name in os.environ if name.startswith("SCBENCH_")]
    monkeypatch.undo()
