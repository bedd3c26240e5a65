"""Runs in one file: what is kept, what is cut, and what is refused."""

from __future__ import annotations

import io
import json
import lzma
import shutil
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scbench.__main__ import main
from scbench.errors import StoreError
from scbench.store.archive.pack import pack, unpack
from scbench.store.store import Store, load

DATASET = ["dataset=simulated", "dataset.n_cells=60", "dataset.n_genes=40", "dataset.n_types=3", "device=cpu"]


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory, shared_cache: Path, toys: Path) -> Path:
    """Four runs, one of them failed."""
    root = tmp_path_factory.mktemp("made") / "store"
    arguments = ["method=toy", *DATASET, "seeds=3", f"store={root}"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCBENCH_CACHE", str(shared_cache))
        patch.syspath_prepend(str(toys))
        assert main([*arguments, "method.behaviour=raise", "method.bad_seed=1"]) == 1
        assert main([*arguments, "seeds=1"]) == 0
    return root


@pytest.fixture
def store(made_once: Path, tmp_path: Path, toy_installed: None) -> Store:
    """A copy that a test may change."""
    return Store(shutil.copytree(made_once, tmp_path / "store"))


def files_below(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(root).parts)
    }


def rewritten(path: Path, change: Any) -> Path:
    """Return a copy of an archive in which ``change(members)`` was made; members map names to bytes."""
    with tarfile.open(path) as archive:
        members = {one.name: archive.extractfile(one).read() for one in archive}  # type: ignore[union-attr]
    change(members)
    copy = path.with_name("changed.tar.xz")
    with tarfile.open(copy, "w:xz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return copy


def test_a_packed_store_comes_back_with_records_labels_and_histories(store: Store, tmp_path: Path) -> None:
    assert pack(store, tmp_path / "runs.tar.xz") == 4
    again = Store(tmp_path / "again")
    assert unpack(tmp_path / "runs.tar.xz", again)[:2] == (4, 0)
    columns = [name for name in load(store.root).columns if not name.startswith(("provenance.", "error.", "data."))]
    assert load(again.root)[columns].equals(load(store.root)[columns])
    kept = {name: content for name, content in files_below(store.root).items() if name.endswith((".npy", ".csv"))}
    found = files_below(again.root)
    assert {Path(name).name for name in kept} == {"labels.npy", "history.csv", "embedding.npy"}
    for name, content in kept.items():
        if name.endswith("embedding.npy"):
            assert name not in found
        else:
            assert found[name] == content
    assert unpack(tmp_path / "runs.tar.xz", again)[:2] == (0, 4)
    assert files_below(again.root) == found


def test_what_is_asked_for_comes_along(store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "runs.tar.xz"
    assert main(["archive", "pack", str(path), f"store={store.root}", "--with", "embedding"]) == 0
    assert "4 runs packed" in capsys.readouterr().out
    assert main(["archive", "unpack", str(path), str(tmp_path / "again")]) == 0
    assert "4 runs unpacked" in capsys.readouterr().out
    assert len(list((tmp_path / "again").rglob("embedding.npy"))) == 3


def test_unpacked_runs_count_as_done(store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pack(store, tmp_path / "runs.tar.xz")
    unpack(tmp_path / "runs.tar.xz", Store(tmp_path / "again"))
    capsys.readouterr()
    assert main(["method=toy", *DATASET, "seeds=1", f"store={tmp_path / 'again'}"]) == 0
    assert "1 of 1 were there before" in capsys.readouterr().out


def test_the_same_runs_give_the_same_bytes_wherever_they_lie(store: Store, tmp_path: Path) -> None:
    pack(store, tmp_path / "a.tar.xz")
    unpack(tmp_path / "a.tar.xz", Store(tmp_path / "elsewhere"))
    pack(Store(tmp_path / "elsewhere"), tmp_path / "b.tar.xz")
    assert (tmp_path / "a.tar.xz").read_bytes() == (tmp_path / "b.tar.xz").read_bytes()


def test_no_folder_of_the_machine_is_in_an_archive(store: Store, tmp_path: Path) -> None:
    for path in store.root.rglob("record.json"):
        record = json.loads(path.read_text())
        record["provenance"]["argv"] = ["scbench", f"store={store.root}", f"dataset.path={tmp_path}/cells.h5"]
        path.write_text(json.dumps(record))
    pack(store, tmp_path / "runs.tar.xz")
    with tarfile.open(tmp_path / "runs.tar.xz") as archive:
        for member in archive:
            content = archive.extractfile(member)
            assert content is not None
            text = content.read()
            assert str(tmp_path).encode() not in text
            if member.name.endswith("record.json"):
                assert json.loads(text)["provenance"]["argv"][1:] == ["store=.../store", "dataset.path=.../cells.h5"]


def test_a_result_that_is_there_stays_and_a_failure_gives_way(store: Store, tmp_path: Path) -> None:
    pack(store, tmp_path / "runs.tar.xz")
    other = Store(tmp_path / "other")
    unpack(tmp_path / "runs.tar.xz", other)
    paths = sorted(other.root.rglob("record.json"))
    ok = [path for path in paths if json.loads(path.read_text())["status"] == "ok"]
    failure = {"status": "timeout", "error": {"type": "timeout", "message": "too long", "traceback": ""}}
    for path, changes in zip(ok, ({"info": {"mine": 1}}, failure, {"info": {"mine": 1}}), strict=True):
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    assert unpack(tmp_path / "runs.tar.xz", other)[:2] == (1, 3)
    assert [json.loads(path.read_text())["status"] for path in ok] == ["ok"] * 3
    assert [json.loads(path.read_text())["info"] == {"mine": 1} for path in ok] == [True, False, True]


def test_a_damaged_archive_costs_what_it_lacks(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "runs.tar.xz"
    pack(store, path)
    whole = path.read_bytes()
    for n_bytes in (0, 10, len(whole) // 2, len(whole) - 30, len(whole) - 1):
        path.write_bytes(whole[:n_bytes])
        other = Store(tmp_path / f"other{n_bytes}")
        with pytest.raises(StoreError, match="damaged or no archive"):
            unpack(path, other)
        for folder in other.root.glob("simulated/toy/*"):
            assert (folder / "record.json").is_file()
    path.write_bytes(whole[: len(whole) // 2] + b"\0" * 20 + whole[len(whole) // 2 + 20 :])
    with pytest.raises(StoreError, match="damaged"):
        unpack(path, Store(tmp_path / "flipped"))


def test_a_damaged_header_in_the_middle_is_not_the_end(store: Store, tmp_path: Path) -> None:
    pack(store, tmp_path / "runs.tar.xz")
    content = bytearray(lzma.decompress((tmp_path / "runs.tar.xz").read_bytes()))
    with tarfile.open(tmp_path / "runs.tar.xz") as archive:
        last = [member.offset for member in archive if member.name.endswith("history.csv")][-1]
    content[last : last + 20] = b"x" * 20
    (tmp_path / "changed.tar.xz").write_bytes(lzma.compress(bytes(content)))
    with pytest.raises(StoreError, match="is damaged; get the file again; 3 runs that came before are in"):
        unpack(tmp_path / "changed.tar.xz", Store(tmp_path / "other"))


def test_an_archive_without_runs_and_other_formats_are_refused(store: Store, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "empty.tar.xz", "w:xz"):
        pass
    with tarfile.open(tmp_path / "runs.tar.gz", "w:gz"):
        pass
    for name, reason in (("empty.tar.xz", "holds no run"), ("runs.tar.gz", "no archive"), ("none", "No such file")):
        with pytest.raises(StoreError, match=reason):
            unpack(tmp_path / name, Store(tmp_path / "other"))
        assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../../../evil/record.json", "no archive of runs"),
        ("/etc/x/y/record.json", "no archive of runs"),
        ("a/b/c/evil.sh", "no archive of runs"),
        ("record.json", "no archive of runs"),
        ("a/b/c/record.json", "a/b/c/record.json has no schema, and this version reads 1"),
    ],
)
def test_foreign_members_are_refused(name: str, reason: str, store: Store, tmp_path: Path) -> None:
    pack(store, tmp_path / "runs.tar.xz")
    changed = rewritten(tmp_path / "runs.tar.xz", lambda members: members.update({name: b"{}"}))
    with pytest.raises(StoreError, match=reason):
        unpack(changed, Store(tmp_path / "other"))
    assert not (tmp_path / "evil").exists()


def test_records_that_do_not_fit_are_refused(store: Store, tmp_path: Path) -> None:
    pack(store, tmp_path / "runs.tar.xz")

    def with_record(**fields: Any) -> Path:
        def change(members: dict[str, bytes]) -> None:
            name = next(name for name in members if name.endswith("labels.npy")).replace("labels.npy", "record.json")
            members[name] = json.dumps(json.loads(members[name]) | fields).encode()

        return rewritten(tmp_path / "runs.tar.xz", change)

    for fields, reason in (
        ({"schema": 2}, "has schema 2, and this version reads 1"),
        ({"key": "0" * 64}, "it is of 'simulated/toy/0000"),
        ({"seed": 99}, "key is '.*'; expected .*, which follows from"),
        ({"dataset": "other"}, "it is of 'other/toy/"),
        ({"n_cells": 59}, "labels.npy has 60 rows; expected 59, the run's n_cells"),
        ({"n_cells": 10**13}, "labels.npy has 60 rows; expected 10000000000000"),
        ({"n_clusters_found": 2}, "labels.npy holds 3 clusters, and n_clusters_found in record.json is 2"),
    ):
        with pytest.raises(StoreError, match=reason):
            unpack(with_record(**fields), Store(tmp_path / "other"))
    changed = rewritten(
        tmp_path / "runs.tar.xz",
        lambda members: members.update({name: b"no array" for name in members if name.endswith("labels.npy")}),
    )
    with pytest.raises(StoreError, match="labels.npy cannot be read as an array"):
        unpack(changed, Store(tmp_path / "other"))


@pytest.mark.parametrize("labels", [np.array([{}] * 60, dtype=object), np.zeros(60), np.zeros((60, 1), dtype=np.int64)])
def test_labels_are_whole_numbers_one_for_each_cell(labels: np.ndarray, store: Store, tmp_path: Path) -> None:
    pack(store, tmp_path / "runs.tar.xz")
    buffer = io.BytesIO()
    np.save(buffer, labels, allow_pickle=True)
    changed = rewritten(
        tmp_path / "runs.tar.xz",
        lambda members: members.update({name: buffer.getvalue() for name in members if name.endswith("labels.npy")}),
    )
    with pytest.raises(StoreError, match="labels.npy holds"):
        unpack(changed, Store(tmp_path / "other"))


def test_a_place_that_cannot_be_written_is_one_line(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        pack(store, tmp_path / "file" / "runs.tar.xz")
    pack(store, tmp_path / "runs.tar.xz")
    with pytest.raises(StoreError, match="cannot be written"):
        unpack(tmp_path / "runs.tar.xz", Store(tmp_path / "file"))


def test_mistakes_get_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    for arguments, reason in (
        (["pakc", "x.tar.xz"], "Did you mean 'pack'"),
        (["pack"], "required"),
        (["pack", "x", f"store={tmp_path / 'none'}"], "does not exist"),
        (["pack", "x", f"store={tmp_path / 'empty'}"], "no run to pack"),
        (["unpack", str(tmp_path / "none.tar.xz"), str(tmp_path / "st")], "none.tar.xz"),
        (["pack", "x", "--with", "embeding"], "Did you mean 'embedding'"),
        (["pack", "store=x"], "comes before the store"),
        (["unpack", "x", "--with", "soft"], "--with is for pack"),
    ):
        assert main(["archive", *arguments]) == 2
        out = capsys.readouterr()
        assert reason in out.err
        assert out.err.count("\n") == 1, out.err
