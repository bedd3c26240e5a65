from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scbench.store.stored_arrays import stored_array, stored_snapshots


def test_a_whole_array_is_read(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(6).reshape(2, 3))
    np.testing.assert_array_equal(stored_array(tmp_path / "a.npy"), np.arange(6).reshape(2, 3))


def test_what_is_missing_or_damaged_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    assert stored_array(path) is None
    np.savez(tmp_path / "b.npz", a=np.arange(3))
    np.save(path, np.arange(6))
    whole = path.read_bytes()
    for content in (b"", whole[:-1], whole + b"\0", b"x" * 200, (tmp_path / "b.npz").read_bytes()):
        path.write_bytes(content)
        assert stored_array(path) is None
    np.save(path, np.array([None]), allow_pickle=True)
    assert stored_array(path) is None


def test_an_array_that_announces_more_than_it_has_takes_no_memory(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros(7))
    content = (tmp_path / "a.npy").read_bytes().replace(b"(7,), }" + b" " * 14, b"(999999999999999,), }")
    (tmp_path / "a.npy").write_bytes(content)
    assert stored_array(tmp_path / "a.npy") is None


def test_whole_snapshots_are_read(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "s.npz", epochs=np.array([0, 5]), labels=np.zeros((2, 60), dtype=np.int32))
    stored = stored_snapshots(tmp_path / "s.npz", 60)
    assert stored is not None
    assert stored[0].tolist() == [0, 5]
    assert stored[1].shape == (2, 60)
    assert stored_snapshots(tmp_path / "s.npz", 59) is None


@pytest.mark.parametrize(
    "arrays",
    [
        {"epochs": np.array([0, 5])},
        {"epochs": np.array([0]), "labels": np.zeros((2, 60), dtype=int)},
        {"epochs": np.zeros((2, 2)), "labels": np.zeros((2, 60), dtype=int)},
        {"epochs": np.array([None, 1]), "labels": np.zeros((2, 60), dtype=int)},
    ],
)
def test_snapshots_that_do_not_fit_are_none(arrays: dict[str, np.ndarray], tmp_path: Path) -> None:
    np.savez(tmp_path / "s.npz", **arrays)
    assert stored_snapshots(tmp_path / "s.npz", 60) is None


def test_damaged_snapshots_are_none(tmp_path: Path) -> None:
    path = tmp_path / "s.npz"
    assert stored_snapshots(path, 60) is None
    np.savez_compressed(path, epochs=np.array([0, 5]), labels=np.arange(120).reshape(2, 60))
    whole = path.read_bytes()
    for content in (b"", b"PK\3\4", whole[: len(whole) // 2], whole[:200] + bytes(60) + whole[260:]):
        path.write_bytes(content)
        assert stored_snapshots(path, 60) is None
