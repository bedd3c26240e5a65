"""Bad files and places: one clear line and exit status 2, or a failed record; nothing stored is lost."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from scbench.__main__ import main
from scbench.store.store import load

RNG = np.random.default_rng(0)
X = RNG.poisson(1.0, size=(30, 20)).astype(np.float32)
X[:, 0] += 1  # no empty cell
Y = np.repeat([0, 1, 2], 10)


def h5(path: Path, x: np.ndarray = X, **datasets: np.ndarray) -> Path:
    with h5py.File(path, "w") as file:
        file["X"] = x
        for name, values in (datasets or {"Y": Y}).items():
            file[name] = values
    return path


def command(path: Path, tmp_path: Path, *more: str) -> list[str]:
    return ["method=random", "dataset=file", f"dataset.path={path}", f"store={tmp_path / 'store'}", "seeds=2", *more]


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    lines = [line for line in said.err.splitlines() if not line.startswith("WARNING")]
    assert len(lines) == 1, said.err
    return lines[0]


def value(cell: int, gene: int, number: float) -> np.ndarray:
    x = X.copy()
    x[cell, gene] = number
    return x


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (value(3, 4, np.nan), "1 values are not a finite number (first: nan at cell 3, gene 4"),
        (value(3, 4, -2), "values are negative"),
        (value(3, 4, 0.5), "are not whole numbers (first: 0.5 at cell 3, gene 4"),
        (np.zeros_like(X), "all 30 x 20 values are zero"),
        (X[:, :0], "30 cells and 0 genes"),
    ],
)
def test_bad_counts(x: np.ndarray, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert message in refused(command(h5(tmp_path / "x.h5", x), tmp_path), capsys)


def test_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no.h5 does not exist; check the path" in refused(command(tmp_path / "no.h5", tmp_path), capsys)


@pytest.mark.parametrize("content", [b"", b"not hdf5 at all", b"\x89HDF\r\n\x1a\n broken"])
def test_unreadable_file(content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.h5"
    path.write_bytes(content)
    assert "x.h5" in refused(command(path, tmp_path), capsys)


def test_truncated_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = h5(tmp_path / "x.h5")
    path.write_bytes(path.read_bytes()[:-1500])
    assert "x.h5" in refused(command(path, tmp_path), capsys)


def test_no_label_column_lists_what_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = h5(tmp_path / "x.h5", cell_type=np.array([b"a"] * 30), batch=np.array([b"p"] * 30))
    message = refused(command(path, tmp_path, "dataset.label=cell_typ"), capsys)
    assert "cell_typ" in message
    assert "batch" in message
    assert "Did you mean 'cell_type'" in message


def test_labels_of_another_length(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = refused(command(h5(tmp_path / "x.h5", Y=Y[:-1]), tmp_path), capsys)
    assert "30" in message
    assert "29" in message


def test_unknown_file_type(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.docx").write_text("")
    assert "x.docx" in refused(command(tmp_path / "x.docx", tmp_path), capsys)


def test_without_labels_k_has_to_be_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = h5(tmp_path / "x.h5")
    message = refused(command(path, tmp_path, "dataset.label=none"), capsys)
    assert "has no labels, so n_clusters=true is unknown; use n_clusters=estimate or a number" in message
    assert main(command(path, tmp_path, "dataset.label=none", "n_clusters=3")) == 0
    records = load(tmp_path / "store")
    assert records["metrics.acc"].isna().all()
    assert (records["n_clusters_found"] == 3).all()


def test_log_normalised_data_are_accepted_when_said_so(tmp_path: Path) -> None:
    path = h5(tmp_path / "x.h5", np.log1p(X))
    for method in ("pca_kmeans", "leiden"):
        arguments = [f"method={method}", *command(path, tmp_path, "dataset.values=log_normalised")[1:]]
        assert main(arguments) == 0


def test_a_store_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    arguments = command(h5(tmp_path / "x.h5"), tmp_path)
    arguments[3] = f"store={tmp_path / 'file' / 'store'}"
    assert "cannot be written" in refused(arguments, capsys)
    assert "cannot be written" in refused(["-m", *arguments], capsys)


def test_constant_genes_do_no_harm(tmp_path: Path) -> None:
    x = X.copy()
    x[:, 1] = 3
    x[:, 2] = 0
    path = h5(tmp_path / "x.h5", x)
    assert main(["-m", "method=pca_kmeans,leiden", *command(path, tmp_path)[1:]]) == 0


def test_one_cell_is_a_failed_record_when_no_gene_passes_the_filter(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = h5(tmp_path / "one.h5", X[:1], Y=Y[:1])
    assert main(["-m", "method=pca_kmeans,random", *command(path, tmp_path)[1:]]) == 1
    assert "zero genes left of 20: none is found in at least 3 of 1 cells" in capsys.readouterr().out
    assert load(tmp_path / "store").groupby("method")["status"].unique().to_dict() == {
        "pca_kmeans": ["error"],
        "random": ["ok"],
    }


def test_bad_input_costs_no_stored_result(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = h5(tmp_path / "x.h5")
    assert main(command(path, tmp_path)) == 0
    before = {p: p.read_bytes() for p in (tmp_path / "store").rglob("*") if p.is_file()}
    capsys.readouterr()
    h5(path, value(0, 0, np.nan))
    refused(command(path, tmp_path), capsys)
    assert {p: p.read_bytes() for p in (tmp_path / "store").rglob("*") if p.is_file()} == before


def test_expected_numbers_that_differ_are_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert main(command(h5(tmp_path / "x.h5"), tmp_path, "dataset.cells=31", "dataset.types=3")) == 0
    assert "expected 31 cells, found 30" in caplog.text
    assert "expected 3 types" not in caplog.text
