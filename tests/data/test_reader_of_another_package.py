"""A reader that another package announces, as docs/add-a-format.md has it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from scbench.data.config import FileDataset
from scbench.data.load import open_dataset
from scbench.errors import DataError

PAGE = Path(__file__).parents[2] / "docs" / "add-a-format.md"
MATRIX = np.random.default_rng(0).poisson(2, (6, 4))


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, code: str, name: str = "npz") -> None:
    package = f"package_of_{name}"
    (folder / package).mkdir(parents=True)
    (folder / package / "__init__.py").write_text("")
    (folder / package / "reader.py").write_text(code)
    info = folder / f"{package}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[scbench.readers]\n{name} = {package}.reader\n")
    monkeypatch.syspath_prepend(str(folder))
    for module in (package, f"{package}.reader"):  # of an earlier test
        monkeypatch.delitem(sys.modules, module, raising=False)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    np.savez(tmp_path / "x.npz", counts=MATRIX, cell_type=list("aabbcc"), cells=[f"c{i}" for i in range(6)])
    return tmp_path / "x.npz"


def test_the_reader_of_the_page_reads(tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"format of x\.npz cannot be told"):
        open_dataset(FileDataset(name="file", path=str(path)))
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    install(tmp_path / "site", monkeypatch, code)
    for reader in (None, "npz"):
        dataset = open_dataset(FileDataset(name="file", path=str(path), reader=reader))
        np.testing.assert_array_equal(dataset.counts().matrix.toarray(), MATRIX)
        labels = dataset.labels()
        assert labels is not None
        assert labels.tolist() == list("aabbcc")
        assert dataset.described() == "x: 6 cells \N{MULTIPLICATION SIGN} 4 genes, labels from 'cell_type' (3 types)"
    (tmp_path / "l.csv").write_text("cell,kind\n" + "".join(f"c{i},{'uv'[i % 2]}\n" for i in reversed(range(6))))
    other = open_dataset(FileDataset(name="file", path=str(path), label_path=str(tmp_path / "l.csv"))).labels()
    assert other is not None
    assert other.tolist() == list("uvuvuv")
    np.savez(path, wrong=MATRIX)
    with pytest.raises(DataError, match=r"x\.npz has no array 'counts'; found wrong"):
        open_dataset(FileDataset(name="file", path=str(path)))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "raise RuntimeError('broken')",
            r"reader 'npz' cannot be imported from 'package_of_npz\.reader' \(RuntimeError: br",
        ),
        ("recognises = lambda path: True", r"reader 'npz' of 'package_of_npz\.reader' has no read; a reader needs"),
    ],
)
def test_a_broken_reader_is_named(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch, code: str, message: str
) -> None:
    install(tmp_path / "site", monkeypatch, code)
    with pytest.raises(DataError, match=message):
        open_dataset(FileDataset(name="file", path=str(path)))


def test_two_readers_of_one_file_are_named(tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        install(tmp_path / name, monkeypatch, "recognises = lambda path: True\nread = None.__class__", name)
    with pytest.raises(DataError, match=r"x\.npz is recognised by 2 readers \((one, two|two, one)\); name one"):
        open_dataset(FileDataset(name="file", path=str(path)))


def test_an_unknown_reader_is_answered_with_the_nearest(path: Path) -> None:
    with pytest.raises(DataError, match="unknown reader 'h5adx'.*'h5ad'"):
        open_dataset(FileDataset(name="file", path=str(path), reader="h5adx"))
