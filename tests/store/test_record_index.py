"""The index of a store: quicker, and never believed over the records."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from whole_records import whole_record

from scbench.store import record_index
from scbench.store.record_index import RecordIndex
from scbench.store.store import Store, load, write_json


def put(root: Path, key: str, **more: Any) -> Path:
    folder = root / "d" / "m" / key
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "record.json", whole_record(key=key, **more))
    return folder


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of three records whose index is written, however small it is."""
    monkeypatch.setattr(record_index, "_WORTH_WRITING", 1)
    for key in "abc":
        put(tmp_path, key)
    assert keys(tmp_path) == ["a", "b", "c"]
    assert (tmp_path / ".index" / "records.json").is_file()
    return tmp_path


def keys(root: Path) -> list[str]:
    return [record["key"] for record in RecordIndex(root).records()]


def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows by each record that is read from its own file."""
    read: list[str] = []
    real = record_index.read_record

    def noting(folder: Path) -> dict[str, Any] | None:
        read.append(folder.name)
        return real(folder)

    monkeypatch.setattr(record_index, "read_record", noting)
    return read


def test_a_record_that_did_not_change_is_not_read_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = reads(monkeypatch)
    assert keys(root) == ["a", "b", "c"]
    assert read == []
    put(root, "d")
    assert keys(root) == ["a", "b", "c", "d"]
    assert read == ["d"]


def test_a_record_that_was_replaced_is_read_from_its_file(root: Path) -> None:
    put(root, "b", seed=7)
    assert [record["seed"] for record in RecordIndex(root).records()] == [0, 7, 0]


def test_a_change_in_place_of_the_same_size_and_time_is_seen(root: Path) -> None:
    path = root / "d" / "m" / "b" / "record.json"
    before = path.stat()
    time.sleep(0.02)
    path.write_text(path.read_text().replace('"threads": 1', '"threads": 7'))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert [record["threads"] for record in RecordIndex(root).records()] == [1, 7, 1]


def test_a_record_that_is_gone_or_damaged_is_gone_from_the_index_too(root: Path) -> None:
    shutil.rmtree(root / "d" / "m" / "a")
    (root / "d" / "m" / "c" / "record.json").write_text("{")
    assert keys(root) == ["b"]
    assert keys(root) == ["b"]


def test_a_copy_of_a_store_is_read_afresh(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path.with_name("copy")
    shutil.copytree(root, copy)
    read = reads(monkeypatch)
    assert keys(copy) == ["a", "b", "c"]
    assert read == ["a", "b", "c"]


@pytest.mark.parametrize("content", [b"", b"{}\n{}", b"not json\n", b'{"version": 1, "sha256": "0"}\n{}'])
def test_a_damaged_index_is_made_anew(root: Path, content: bytes) -> None:
    path = root / ".index" / "records.json"
    good = path.read_bytes()
    path.write_bytes(content)
    assert keys(root) == ["a", "b", "c"]
    assert path.read_bytes() == good


def test_an_index_that_says_something_else_is_not_believed(root: Path) -> None:
    """Whoever edits the index by hand edits nothing: its content has to be what was written."""
    path = root / ".index" / "records.json"
    path.write_bytes(path.read_bytes().replace(b'"acc":0.5', b'"acc":0.9'))
    assert {record["metrics"]["acc"] for record in RecordIndex(root).records()} == {0.5}


def test_without_a_place_for_the_index_the_records_are_read_all_the_same(tmp_path: Path, root: Path) -> None:
    shutil.rmtree(root / ".index")
    (root / ".index").write_text("in the way")
    assert keys(root) == ["a", "b", "c"]
    assert (root / ".index").read_text() == "in the way"


def test_a_few_new_records_are_not_worth_writing_it(tmp_path: Path) -> None:
    for key in "abc":
        put(tmp_path, key)
    assert keys(tmp_path) == ["a", "b", "c"]
    assert not (tmp_path / ".index").exists()


def test_the_table_is_the_same_with_and_without_it(root: Path) -> None:
    with_index = load(root)
    shutil.rmtree(root / ".index")
    assert with_index.to_dict() == load(root).to_dict()


@pytest.mark.slow
def test_ten_thousand_records_are_the_same_from_the_index(tmp_path: Path) -> None:
    full = json.loads((put(tmp_path, "x", info={"argv": ["a"] * 50}) / "record.json").read_text())
    for i in range(10_000):
        folder = tmp_path / f"d{i % 7}" / f"m{i % 5}" / f"{i:016d}"
        folder.mkdir(parents=True)
        (folder / "record.json").write_text(json.dumps(full | {"key": str(i), "seed": i}))
    store = Store(tmp_path)
    first, second = list(store.records()), list(store.records())
    assert first == second
    assert len(load(tmp_path)) == 10_001
