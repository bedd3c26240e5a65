"""Archives and stores that hold what no run of ours does: refused in one line, or left out, named and counted."""

from __future__ import annotations

import io
import json
import lzma
import re
import tarfile
import time
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from crafted_records import CRAFTED
from rich.console import Console
from whole_records import whole_record

from scbench.errors import StoreError
from scbench.report.__main__ import main as report
from scbench.report.summary_files import write_summary
from scbench.status import status_lines
from scbench.store.archive.pack import unpack
from scbench.store.store import Store, load
from scbench.tables.terminal import print_summary


def npy(values: Any, **more: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, np.asarray(values), **more)
    return file.getvalue()


def npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **{name: np.asarray(value) for name, value in arrays.items()})
    return file.getvalue()


LABELS = npy(np.arange(60) % 3)


def place_of(record: Mapping[str, Any]) -> str:
    return f"{record['dataset']}/{record['method']}/{record['key'][:16]}"


def files_of(record: Mapping[str, Any], **more: bytes) -> dict[str, bytes]:
    """Return the members of a run; names of ``more`` have ``__`` for a dot."""
    files = {"record.json": json.dumps(record).encode(), "labels.npy": LABELS}
    files |= {name.replace("__", "."): content for name, content in more.items()}
    return {f"{place_of(record)}/{name}": content for name, content in files.items() if content}


def packed(path: Path, *runs: Mapping[str, bytes]) -> Path:
    with tarfile.open(path, "w:xz", format=tarfile.PAX_FORMAT) as archive:
        for run in runs:
            for name, content in run.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return path


def refusal(path: Path, tmp_path: Path) -> str:
    """Return what is said when an archive is refused; nothing of the run may be in the store."""
    with pytest.raises(StoreError) as refused:
        unpack(path, Store(tmp_path / "store"))
    assert not list((tmp_path / "store").glob("[!.]*/[!.]*/[!.]*")) or "runs that came before" in str(refused.value)
    assert not list((tmp_path / "store" / ".work").glob("*"))
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_whole_record_is_taken(tmp_path: Path) -> None:
    path = packed(
        tmp_path / "a.tar.xz", files_of(whole_record()), files_of(whole_record("error", seed=1), labels__npy=b"")
    )
    assert unpack(path, Store(tmp_path / "store")) == (2, 0, 1, 0)
    assert len(load(tmp_path / "store")) == 2


@pytest.mark.parametrize("name", CRAFTED)
def test_a_crafted_record_is_refused_with_file_field_and_what_was_found(name: str, tmp_path: Path) -> None:
    make, reason = CRAFTED[name]
    place = place_of(whole_record())
    members = {f"{place}/record.json": make(), f"{place}/labels.npy": LABELS}
    said = refusal(packed(tmp_path / "a.tar.xz", members), tmp_path)
    assert re.search(reason, said), said
    assert f"{place}/record.json" in said
    assert len(said) < 700


def test_a_store_of_crafted_records_is_read_as_one_without_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "store"
    for number, (make, _) in enumerate(CRAFTED.values()):
        folder = root / "d" / "m" / f"{number:016x}"
        folder.mkdir(parents=True)
        (folder / "record.json").write_bytes(make())
    good = whole_record()
    (root / place_of(good)).mkdir()
    for name, content in files_of(good).items():
        (root / name).write_bytes(content)
    read_without_traceback(root, tmp_path, 1)
    assert f"{len(CRAFTED)} of {len(CRAFTED) + 1} runs in {root} are left out" in caplog.text
    note = next(line for line in (tmp_path / "out" / "tables.md").read_text().splitlines() if "hold no record" in line)
    assert note.startswith(f"Note: {len(CRAFTED)} folders of runs hold no record")


def read_without_traceback(root: Path, tmp_path: Path, n: int) -> None:
    """Read a store with everything that reads records."""
    assert len(load(root)) == n
    assert any(line.startswith(f"{n} records") for line in status_lines(root))
    records = list(Store(root).records())
    with (tmp_path / "said").open("w", encoding="utf-8") as file:
        print_summary(records, root, Console(file=file), 0)
    (tmp_path / "files").mkdir(exist_ok=True)
    write_summary(records, tmp_path / "files")
    assert report([f"store={root}", f"out={tmp_path / 'out'}", "figures=false"]) == 0


ODD: dict[str, dict[str, Any]] = {
    "an unknown method and variant": {"variant": "\u202e odd"},
    "a failure in every part": {"info": {"a": [1, [2, {"b": None}]]}, "params": {"k": None, "g": {"h": [True, "x"]}}},
    "huge numbers": {"params": {"k": 1e299, "n": 2**62}, "info": {"n": -1e299}, "seed": 2**52},
    "half a character": {"info": {"text": "\ud800"}, "device": "cpu\udcff"},
    "empty texts and names": {"variant": "", "device": "", "params": {"": {"": ""}}, "info": {"": 1}},
    "names that look like code": {
        "variant": "[bold]<b>|$x$",
        "params": {"[red]": "</script>", "a.b": 1, "a": {"b": 2}},
    },
    "nothing measured": {
        "metrics": dict.fromkeys(whole_record()["metrics"]),
        "seconds": {"total": None},
        "peak_rss_bytes": None,
    },
    "the largest of everything": {
        "peak_rss_bytes": 2**53 - 1,
        "seconds": {"total": 1e10},
        "n_types": 2**53 - 1,
        "n_genes": 2**53 - 1,
    },
    "no extras": {"info": None, "preset": None, "tuned_with_labels": None, "n_clusters_rule": "true"},
    "provenance of anything": {
        "provenance": {"packages": [1], "argv": "x", "git_commit": 5, "scbench": {"a": 1}, "git_dirty": "?"}
    },
    "data of anything": {"data": {"sha256": "", "preprocessing": {}, "source": 5, "part_of": [1]}},
    "an AMI far below": {"metrics": dict.fromkeys(whole_record()["metrics"], 0.5) | {"ami": -1e200, "ari": -1}},
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_odd_and_taken_is_read_everywhere(name: str, tmp_path: Path) -> None:
    more = ODD[name]
    runs = [files_of(whole_record(**{"seed": 0} | more)), files_of(whole_record("error", dataset="e"), labels__npy=b"")]
    unpack(packed(tmp_path / "a.tar.xz", *runs), Store(tmp_path / "store"))
    read_without_traceback(tmp_path / "store", tmp_path, 2)


def csv_of(n_cells: int) -> bytes:
    return ("cell,cluster\n" + "".join(f"c{i},{i % 3}\n" for i in range(n_cells))).encode()


FILES: dict[str, tuple[dict[str, bytes], str]] = {
    "labels of another length": ({"labels__npy": npy(np.arange(59) % 3)}, "labels.npy has 59 rows; expected 60"),
    "labels that are floats": ({"labels__npy": npy(np.arange(60) % 3.0)}, "labels.npy holds float64 of shape"),
    "labels that are objects": ({"labels__npy": npy(np.array([None] * 60), allow_pickle=True)}, "labels.npy holds pickled objects"),
    "labels in a table": ({"labels__npy": npy(np.zeros((60, 1), dtype=int))}, r"int64 of shape \(60, 1\)"),
    "labels of records": ({"labels__npy": npy(np.zeros(60, dtype=[("a", int)]))}, "its header is none that numpy writes"),
    "labels that are texts": ({"labels__npy": npy(np.array(["a"] * 60))}, "holds values of dtype <U1"),
    "labels below zero": ({"labels__npy": npy(np.arange(60) % 3 - 1)}, "holds the label -1"),
    "one cluster for three": ({"labels__npy": npy(np.zeros(60, dtype=int))}, "labels.npy holds 1 clusters, and n_clusters_found"),
    "labels cut short": ({"labels__npy": LABELS[:-8]}, "labels.npy has 600 bytes; its header announces 608"),
    "labels that go on": ({"labels__npy": LABELS + b"\0"}, "labels.npy has 609 bytes"),
    "labels without a header": ({"labels__npy": b"\x93NUMPY"}, "its first bytes are not those"),
    "a header of 60 kB": ({"labels__npy": b"\x93NUMPY\x01\x00\x60\xea" + b" " * 60_000}, "its header is longer than"),
    "labels that are a zip file": ({"labels__npy": npz(a=[1])}, "its first bytes are not those"),
    "no labels": ({"labels__npy": b""}, "has no labels.npy, and its record has status ok"),
    "an embedding of another length": ({"embedding__npy": npy(np.zeros((59, 2)))}, "embedding.npy has 59 rows"),
    "an embedding with NaN": ({"embedding__npy": npy(np.full((60, 2), np.nan))}, "embedding.npy holds values that are not finite"),
    "memberships in one dimension": ({"soft__npy": npy(np.zeros(60))}, "soft.npy holds float64"),
    "snapshots of another length": ({"snapshots__npz": npz(epochs=[0, 1], labels=np.zeros((2, 59), int))}, r"labels of shape \(2, 59\); expected \(2, 60\)"),
    "snapshots of other epochs": ({"snapshots__npz": npz(epochs=[0], labels=np.zeros((2, 60), int))}, r"expected \(1, 60\)"),
    "snapshots of floats": ({"snapshots__npz": npz(epochs=[0], labels=np.zeros((1, 60)))}, "snapshots.npz, labels.npy holds float64"),
    "snapshots below zero": ({"snapshots__npz": npz(epochs=[0], labels=np.full((1, 60), -2))}, "holds the label -2"),
    "snapshots of objects": ({"snapshots__npz": npz(epochs=[None], labels=np.zeros((1, 60), int))}, "epochs.npy holds pickled objects"),
    "snapshots without epochs": ({"snapshots__npz": npz(labels=np.zeros((1, 60), int))}, "expected epochs.npy and labels.npy"),
    "snapshots that are no zip": ({"snapshots__npz": b"PK\3\4 and nothing"}, "snapshots.npz cannot be read"),
    "a history of bytes": ({"history__csv": b"\xff\xfe\x00\x01"}, "history.csv cannot be read"),
    "a history without epochs": ({"history__csv": b"loss\n1\n"}, r"columns \['loss'\]; expected epoch"),
    "a history with a ragged line": ({"history__csv": b"epoch,loss\n0,1\n1,2,3\n"}, "history.csv, row 3: 3 values; expected 2"),
    "a history of infinite epochs": ({"history__csv": b"epoch,loss\ninf,1\n"}, "row 2: epoch is 'inf'"),
    "a history of words": ({"history__csv": b"epoch,loss\nfirst,1\n"}, "row 2: epoch is 'first'"),
    "a history of one line": ({"history__csv": b"epoch," + b"x" * 200_000}, "a line has more than 65536 characters"),
    "names of fewer cells": ({"labels__csv": csv_of(59)}, "labels.csv has 59 rows; expected 60"),
    "names of more cells": ({"labels__csv": csv_of(61)}, "labels.csv has more than 60 rows"),
    "names beside other labels": ({"labels__csv": csv_of(60).replace(b"c5,2", b"c5,1")}, "row 6 has cluster '1'; labels.npy has 2"),
    "a name that is a formula": ({"labels__csv": csv_of(60).replace(b"c5,", b"=c5,")}, "row 6 begins with what a spreadsheet"),
    "a name that hides": ({"labels__csv": csv_of(60).replace(b"c5,", b"c\x1b5,")}, "row 6 begins with .* hidden characters"),
    "names without labels": ({"labels__csv": b"cell\nc0\n"}, r"labels.csv has the columns \['cell'\]"),
    "shares above 1": ({"labels__csv": b"cell,cluster,share\nc0,0,1.5\n"}, "row 1 has share '1.5'"),
    "shares that are none": ({"labels__csv": b"cell,cluster,share\nc0,0,nan\n"}, "row 1 has share 'nan'"),
    "names of bytes": ({"labels__csv": b"cell,cluster\n\xff,0\n"}, "labels.csv cannot be read"),
    "a ragged line of names": ({"labels__csv": b"cell,cluster\nc0,0,1\n"}, "row 1 has 3 values; expected 2"),
    "names of one line": ({"labels__csv": b"cell,cluster\n" + b"x" * 200_000}, "a line has more than 65536 characters"),
    "a run's log": ({"run__log": b"x"}, "is no archive of runs: it holds"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("record_comes", ["first", "last"])
def test_a_crafted_file_is_refused_by_name(name: str, record_comes: str, tmp_path: Path) -> None:
    files, reason = FILES[name]
    members = files_of(whole_record(), **files)
    if record_comes == "last":
        members = dict(reversed(members.items()))
    said = refusal(packed(tmp_path / "a.tar.xz", members), tmp_path)
    assert re.search(reason, said), said


def test_what_comes_twice_is_refused(tmp_path: Path) -> None:
    one, other = whole_record(), whole_record(seed=1)
    name = f"{place_of(one)}/labels.npy"
    said = refusal(packed(tmp_path / "a.tar.xz", files_of(one), {name: LABELS}), tmp_path)
    assert f"holds '{name}' twice" in said
    said = refusal(packed(tmp_path / "b.tar.xz", files_of(one), files_of(other), files_of(one)), tmp_path)
    assert re.search("holds '.*' twice; get the file again; 2 runs that came before are in", said)


def test_a_name_that_stands_twice_in_a_record_is_refused(tmp_path: Path) -> None:
    record = whole_record()
    text = json.dumps(record).replace('"acc": 0.5', '"acc": 0.5, "acc": 0.9')
    said = refusal(
        packed(tmp_path / "a.tar.xz", files_of(record) | {f"{place_of(record)}/record.json": text.encode()}), tmp_path
    )
    assert "record.json cannot be read (it names 'acc' twice)" in said


def test_only_files_are_taken(tmp_path: Path) -> None:
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE):
        with tarfile.open(tmp_path / "a.tar.xz", "w:xz") as archive:
            member = tarfile.TarInfo(f"{place_of(whole_record())}/labels.npy")
            member.type, member.linkname = kind, "elsewhere"
            archive.addfile(member)
        assert "labels.npy', which is no file" in refusal(tmp_path / "a.tar.xz", tmp_path)


def test_a_long_header_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar.xz", "w:xz", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("a/b/c/record.json")
        member.pax_headers = {"comment": "x" * 100_000}
        archive.addfile(member)
    assert "it has a header of 100" in refusal(tmp_path / "a.tar.xz", tmp_path)


def test_long_and_foreign_names_of_datasets_come_through(tmp_path: Path) -> None:
    record = whole_record(dataset="größe " + "d" * 150)
    assert unpack(packed(tmp_path / "a.tar.xz", files_of(record)), Store(tmp_path / "store"))[:2] == (1, 0)
    assert Store(tmp_path / "store").find(record["dataset"], "m", record["key"]) == record


def test_what_follows_the_end_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.tar.xz", files_of(whole_record()))
    whole = path.read_bytes()
    path.write_bytes(whole + lzma.compress(b"more"))
    assert "something follows its end; get the file again" in refusal(path, tmp_path)
    path.write_bytes(lzma.compress(lzma.decompress(whole) + bytes(2 << 20)))
    assert "something follows its end" in refusal(path, tmp_path)


def test_what_grows_far_beyond_its_size_is_refused_at_little_cost(tmp_path: Path) -> None:
    """An array of one gigabyte of zeros takes 150 kB; no more than 80 MB of it come out."""
    record = whole_record(n_cells=125_000_000, n_clusters_found=1)
    start = npy(np.broadcast_to(np.int64(0), (60,))).replace(b"(60,), }       ", b"(125000000,), }")[:128]
    path = tmp_path / "a.tar.xz"
    with lzma.open(path, "wb", preset=0) as file:
        for name, size in (("record.json", len(json.dumps(record))), ("labels.npy", 128 + 1_000_000_000)):
            member = tarfile.TarInfo(f"{place_of(record)}/{name}")
            member.size = size
            file.write(member.tobuf(tarfile.PAX_FORMAT))
            file.write(
                json.dumps(record).encode().ljust(-(-size // 512) * 512, b"\0") if name == "record.json" else start
            )
        for _ in range(1000):
            file.write(bytes(1_000_000))
    assert path.stat().st_size < 400_000
    tracemalloc.start()
    started = time.perf_counter()
    said = refusal(path, tmp_path)
    assert time.perf_counter() - started < 5
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()
    assert "far more than its own size lets expect; if you know who packed it, unpack it with --any-size" in said


def test_snapshots_count_with_what_they_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scbench.store.archive.pack.allowed_bytes", lambda _: 100_000)
    files = {"snapshots__npz": npz(epochs=np.arange(300), labels=np.zeros((300, 60), int))}
    path = packed(tmp_path / "a.tar.xz", files_of(whole_record(), **files))
    assert "--any-size" in refusal(path, tmp_path)
    assert unpack(path, Store(tmp_path / "store"), any_size=True)[:2] == (1, 0)


def test_a_restored_record_needs_no_labels(tmp_path: Path) -> None:
    record = whole_record(provenance={"restored_from": "a report"})
    assert unpack(packed(tmp_path / "a.tar.xz", files_of(record, labels__npy=b"")), Store(tmp_path / "store")) == (
        1,
        0,
        1,
        0,
    )


def test_a_key_that_was_made_before_rules_were_recorded_is_known(tmp_path: Path) -> None:
    record = whole_record(n_clusters_rule="number")
    del record["n_clusters_rule"]
    assert unpack(packed(tmp_path / "a.tar.xz", files_of(record)), Store(tmp_path / "store"))[:2] == (1, 0)


def scored(change: Callable[[dict[str, Any]], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an archive of one run with the scores of its labels, after a change, where the true labels are known."""
    from scbench.metrics import score

    truth = np.repeat(np.arange(3), 20)
    monkeypatch.setattr("scbench.store.archive.true_labels.TrueLabels.of", lambda self, record: truth)
    snapshots = np.stack([np.arange(60) % 3, np.repeat(np.arange(3), 20)])
    record = whole_record(metrics=score(truth, snapshots[0]), protocol="published")
    record["best_epoch"] = {"epoch": 5, **score(truth, snapshots[1])}
    change(record)
    return packed(tmp_path / "a.tar.xz", files_of(record, snapshots__npz=npz(epochs=[0, 5], labels=snapshots)))


def test_scores_are_made_anew_from_the_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = scored(lambda record: None, tmp_path, monkeypatch)
    assert unpack(path, Store(tmp_path / "store")) == (1, 0, 1, 1)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda record: record["metrics"].update(ari=0.9), r"record.json: metrics.ari is 0.9; the labels give -0.0"),
        (lambda record: record["metrics"].update(acc=None), "metrics.acc is None; the labels give 0.35"),
        (lambda record: record["best_epoch"].update(nmi=0.9), "best_epoch.nmi is 0.9; the labels give 1"),
        (lambda record: record["best_epoch"].update(epoch=7), "best_epoch.epoch is 7, of which snapshots.npz has no"),
    ],
)
def test_scores_that_are_not_those_of_the_labels_are_refused(
    change: Callable[[dict[str, Any]], None], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert re.search(reason, refusal(scored(change, tmp_path, monkeypatch), tmp_path))
