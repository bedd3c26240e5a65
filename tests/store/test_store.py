from __future__ import annotations

import json
import os
import shutil
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from whole_records import whole_record

from scbench.errors import StoreError
from scbench.store.store import Store, load, write_json


def record(key: str = "a" * 64, status: str = "ok", **more: Any) -> dict[str, Any]:
    return whole_record(status, key=key, **more)


def put(store: Store, entry: dict[str, Any]) -> Path:
    work = store.work_folder(entry["key"])
    np.save(work / "labels.npy", np.arange(3))
    store.publish(work, entry)
    return store.folder(entry["dataset"], entry["method"], entry["key"])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def test_a_published_run_is_found_and_loaded(store: Store) -> None:
    folder = put(store, record())
    assert folder == store.root / "d" / "m" / ("a" * 16)
    assert sorted(path.name for path in folder.iterdir()) == ["labels.npy", "record.json"]
    assert store.find("d", "m", "a" * 64) == record()
    table = load(store.root)
    assert table.loc[0, "metrics.acc"] == 0.5
    assert {"error.message", "best_epoch.epoch"} <= set(table.columns)


def test_a_result_is_never_replaced(store: Store) -> None:
    put(store, record(seed=1))
    put(store, record(seed=2))
    put(store, record(status="error"))
    assert store.find("d", "m", "a" * 64) == record(seed=1)
    assert not list((store.root / ".work").glob("*"))


def test_a_failure_is_replaced_by_the_next_attempt(store: Store) -> None:
    put(store, record(status="error"))
    put(store, record(status="ok"))
    assert store.find("d", "m", "a" * 64) == record()


def test_a_key_with_the_same_beginning_is_not_taken_for_the_same_run(store: Store) -> None:
    put(store, record())
    assert store.find("d", "m", "a" * 16 + "b" * 48) is None


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"schema": 99, "key": "x"}', '{"key": 1}', '{"schema": 1, "key": "x", "status": "ok"}']
)
def test_damaged_and_foreign_records_are_left_out_with_a_warning(
    store: Store, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    put(store, record(key="b" * 64))
    folder = put(store, record())
    (folder / "record.json").write_text(content)
    assert store.find("d", "m", "a" * 64) is None
    assert load(store.root)["key"].tolist() == ["b" * 64]
    assert str(folder) in caplog.text


def test_a_folder_without_a_record_counts_as_not_done_and_can_be_filled(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    folder = put(store, record())
    (folder / "record.json").unlink()
    assert store.find("d", "m", "a" * 64) is None
    assert "holds no record.json" in caplog.text
    put(store, record())
    assert store.find("d", "m", "a" * 64) == record()


def test_a_record_whose_replacement_was_killed_half_way_comes_back(store: Store) -> None:
    """The process died after it had taken the failure away and before it put its own record there."""
    final = put(store, record(status="error"))
    aside = store.root / ".work" / f"old-{final.name}.{socket.gethostname()}.999999999"
    os.rename(final, aside)
    aside.with_name(f"{aside.name}.lock").touch()
    assert store.find("d", "m", "a" * 64) is None
    store.remove_leftovers()
    assert store.find("d", "m", "a" * 64) == record(status="error")
    put(store, record(status="ok"))
    shutil.copytree(final, aside)
    aside.with_name(f"{aside.name}.lock").touch()
    (aside / "record.json").write_text((aside / "record.json").read_text().replace('"ok"', '"error"'))
    store.remove_leftovers()
    assert store.find("d", "m", "a" * 64) == record(status="ok"), "what came meanwhile stays"
    assert not list((store.root / ".work").glob("*"))


def test_the_path_of_a_work_folder_does_not_name_the_dataset(store: Store) -> None:
    assert "goolam" not in str(store.work_folder("goolam/m/" + "a" * 64))


def test_a_failure_does_not_replace_a_result_that_came_meanwhile(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process publishes its result between this one's look at the old failure and its rename."""
    put(store, record(status="error"))
    late = store.work_folder("late")
    real_is_result, looks = Store._is_result, []

    def look_then_lose_the_race(self: Store, folder: Path, key: str) -> bool:
        seen = real_is_result(self, folder, key)
        looks.append(seen)
        if len(looks) == 1:
            shutil.rmtree(folder)
            folder.mkdir()
            write_json(folder / "record.json", record(seed=7))
        return seen

    monkeypatch.setattr(Store, "_is_result", look_then_lose_the_race)
    store.publish(late, record(status="error"))
    assert store.find("d", "m", "a" * 64) == record(seed=7)
    assert not list((store.root / ".work").glob("*"))


def test_a_failure_can_be_forgotten_and_a_result_cannot(store: Store) -> None:
    put(store, record(status="oom"))
    store.forget_failure("d", "m", "a" * 64)
    assert store.find("d", "m", "a" * 64) is None
    store.forget_failure("d", "m", "a" * 64)
    put(store, record())
    store.forget_failure("d", "m", "a" * 64)
    assert store.find("d", "m", "a" * 64) == record()


def test_json_has_no_nan_and_takes_numpy_scalars(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write_json(
        path, {"a": float("nan"), "b": [np.float32(0.5), np.int64(3)], "c": {1: Path("p")}, "d": np.float64("inf")}
    )
    assert json.loads(path.read_text()) == {"a": None, "b": [0.5, 3], "c": {"1": "p"}, "d": None}


def test_a_full_disk_leaves_what_was_stored(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store, record(status="error"))

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    work = store.work_folder("a" * 64)
    with pytest.raises(OSError, match="No space left"):
        store.publish(work, record())
    assert store.find("d", "m", "a" * 64) == record(status="error")
    with pytest.raises(
        StoreError, match=r"cannot be written \(No space left on device\); make it writable, free some space"
    ):
        store.check_writable()


def test_a_place_that_cannot_be_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        Store(tmp_path / "file" / "store").check_writable()


def test_loading_a_store_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="does not exist; run something first"):
        load(tmp_path / "nothing")
