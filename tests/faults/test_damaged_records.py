"""Ten thousand records of which twenty are damaged, each in a way of its own: 9980 are shown, and 20 are named."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from commands import end_of, files_below, start
from crafted_records import CRAFTED
from whole_records import whole_record

from scbench.store.store import load

pytestmark = pytest.mark.slow
_N_RUNS, _N_DAMAGED = 10_000, 20


@pytest.fixture
def store(tmp_path: Path) -> tuple[Path, list[Path]]:
    """The store, and the folders of the damaged."""
    ways = [make for name, (make, _) in CRAFTED.items() if "MiB" not in name and "million" not in name]
    damaged = []
    for run in range(_N_RUNS):
        record = whole_record(dataset=f"d{run % 4}", method=f"m{run % 5}", seed=run)
        folder = tmp_path / "store" / record["dataset"] / record["method"] / record["key"][:16]
        folder.mkdir(parents=True)
        np.save(folder / "labels.npy", np.arange(60) % 3)
        content = json.dumps(record).encode()
        if run % (_N_RUNS // _N_DAMAGED) == 7:
            content = ways[len(damaged) * len(ways) // _N_DAMAGED]()
            damaged.append(folder)
        (folder / "record.json").write_bytes(content)
    assert len(damaged) == _N_DAMAGED
    return tmp_path / "store", damaged


def test_twenty_of_ten_thousand_are_damaged(
    store: tuple[Path, list[Path]], tmp_path: Path, note: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    root, damaged = store
    before = files_below(root)
    digest = hashlib.sha256(b"".join(before.values())).digest()
    assert len(load(root)) == _N_RUNS - _N_DAMAGED
    assert sum(str(folder) in caplog.text for folder in damaged) == _N_DAMAGED
    out, path = tmp_path / "out", tmp_path / "runs.tar.xz"
    for words, shown in (
        (["scbench.status", str(root)], f"{_N_RUNS - _N_DAMAGED} records"),
        (["scbench.report", f"store={root}", f"out={out}", "figures=false", "published=nowhere"], "runs.csv"),
        (["scbench.archive", "pack", str(path), str(root)], f"{_N_RUNS - _N_DAMAGED} runs packed"),
    ):
        started = time.monotonic()
        status, said, err = end_of(start("-m", *words, SCBENCH_DATA=os.devnull))
        assert status == 0, err
        assert shown in said
        assert "Traceback" not in err
        named = [folder for folder in damaged if str(folder) in err]
        assert len(named) == _N_DAMAGED, (words, err)
        assert f"{_N_DAMAGED} of {_N_RUNS} runs in {root} are left out" in err
        note(f"20 of 10 000 damaged: {words[0]}", tried=1, ended=f"{status} in {time.monotonic() - started:.0f} s")
    assert len((out / "runs.csv").read_text().splitlines()) == 1 + _N_RUNS - _N_DAMAGED
    with tarfile.open(path) as archive:
        assert sum(one.name.endswith("record.json") for one in archive) == _N_RUNS - _N_DAMAGED
    assert hashlib.sha256(b"".join(files_below(root).values())).digest() == digest
