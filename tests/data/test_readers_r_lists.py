"""R files."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers import read
from scbench.errors import DataError

X = np.array([[0, 2, 0], [1, 0, 0], [0, 0, 3], [4, 0, 5]], dtype=np.float64)


def _write(path: Path, **objects: Any) -> Path:
    rdata = pytest.importorskip("rdata", reason="rdata is not installed")
    rdata.write_rda(path, objects)
    return path


def _frame(columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame(X.T, index=["g1", "g2", "g3"], columns=columns)


def _read(
    path: Path, label_path: Path | None = None, *, reader: str, matrix: str | None = None, label: str | None = None
) -> LabelledCounts:
    return read(path, SourceFile(reader=reader, matrix=matrix, label=label), label=None, label_path=label_path)


def _labels(counts: LabelledCounts) -> list[str | None]:
    assert counts.labels is not None
    return list(counts.labels)


def test_list_with_matrix_and_labels(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.rda", Goolam={"data": X.T, "label": np.array(["a", "b", "a", "b"])})
    counts = _read(path, reader="rda_list")
    np.testing.assert_array_equal(counts.matrix.toarray(), X)
    assert counts.matrix.dtype == np.float32
    assert _labels(counts) == ["a", "b", "a", "b"]
    assert read(path, SourceFile(reader="rda_list"), label="none").labels is None


def test_list_with_named_elements_and_a_factor(tmp_path: Path) -> None:
    inner = {"Z.expr": _frame(["c1", "c2", "c3", "c4"]), "Z.type": pd.Categorical(["u", "v", "u", "v"])}
    path = _write(tmp_path / "a.rda", both={"other": {"x": np.arange(3)}, "Z": inner})
    counts = _read(path, reader="rda_list", matrix="Z.expr", label="Z.type")
    np.testing.assert_array_equal(counts.matrix.toarray(), X)
    assert _labels(counts) == ["u", "v", "u", "v"]
    assert counts.genes is not None
    assert counts.cells is not None
    assert list(counts.genes) == ["g1", "g2", "g3"]
    assert counts.cells[0] == "c1"


def test_list_with_labels_in_a_second_file(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.rda", L={"tophat_counts": X.T})
    second = _write(tmp_path / "b.rda", colData=pd.DataFrame({"Condition": ["a", "b", "a", "b"], "n": [1, 2, 3, 4]}))
    counts = _read(path, second, reader="rda_list", matrix="tophat_counts", label="Condition")
    assert _labels(counts) == ["a", "b", "a", "b"]
    with pytest.raises(DataError, match=r"b\.rda has no label column 'Conditions'.*mean 'Condition'"):
        _read(path, second, reader="rda_list", matrix="tophat_counts", label="Conditions")


def test_missing_element_and_wrong_kinds_are_named(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.rda", L={"data": X.T, "label": np.arange(3), "deep": {"x": np.arange(2)}})
    with pytest.raises(DataError, match=r"a\.rda has no element 'dat'. Did you mean 'data'\?"):
        _read(path, reader="rda_list", matrix="dat")
    with pytest.raises(DataError, match="has 4 cells but 3 labels"):
        _read(path, reader="rda_list")
    with pytest.raises(DataError, match="'label' is not a matrix of numbers"):
        _read(path, reader="rda_list", matrix="label")
    with pytest.raises(DataError, match="'deep' is not a vector of labels"):
        _read(path, reader="rda_list", label="deep")


def test_sc3_frames(tmp_path: Path) -> None:
    ann = pd.DataFrame({"cell_type1": ["zygote", "2cell", "2cell", "blast"], "n": [1, 2, 3, 4]})
    path = _write(tmp_path / "yan.rda", ann=ann, yan=_frame(["c1", "c2", "c3", "c4"]))
    for matrix in (None, "yan"):
        counts = _read(path, reader="rda_sc3", matrix=matrix)
        np.testing.assert_array_equal(counts.matrix.toarray(), X)
        assert _labels(counts) == ["zygote", "2cell", "2cell", "blast"]
    with pytest.raises(DataError, match=r"no label column 'cell_type2'.*cell_type1, n"):
        _read(path, reader="rda_sc3", label="cell_type2")


def test_labelled_columns(tmp_path: Path) -> None:
    names = ["Hi_GW16_1", "Hi_GW21+3_2", "Hi_NPC_3", "other"]
    path = _write(tmp_path / "p.rda", pollen=_frame(names))
    assert _labels(_read(path, reader="rda_labelled_columns", label="^Hi_(.*)_")) == ["GW16", "GW21+3", "NPC", None]
    assert _labels(_read(path, reader="rda_labelled_columns")) == names
    assert read(path, SourceFile(reader="rda_labelled_columns"), label="none").labels is None
    with pytest.raises(DataError, match="matches no column name; the first is 'Hi_GW16_1'"):
        _read(path, reader="rda_labelled_columns", label="^(ESC|MEF)")
    for wrong in ("(", "^Hi_"):
        with pytest.raises(DataError, match="is not a regular expression with a group"):
            _read(path, reader="rda_labelled_columns", label=wrong)


def test_labelled_columns_need_one_matrix_with_names(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no column names"):
        _read(_write(tmp_path / "a.rda", m=X.T), reader="rda_labelled_columns")
    with pytest.raises(DataError, match=r"holds 2 objects \(m, n\); name the matrix"):
        _read(_write(tmp_path / "b.rda", m=X.T, n=X.T), reader="rda_labelled_columns")


def test_simlr_list(tmp_path: Path) -> None:
    inner = {"in_X": X.T, "true_labs": pd.DataFrame({"V1": [1.0, 2.0, 1.0, 3.0]}), "n_clust": np.array([3.0])}
    counts = _read(_write(tmp_path / "t.RData", Test_1_mECS=inner), reader="rdata_simlr")
    np.testing.assert_array_equal(counts.matrix.toarray(), X)
    assert _labels(counts) == ["1", "2", "1", "3"]


@pytest.mark.parametrize("content", [b"rubbish", b"\x1f\x8brubbish", b"RDX3\nX\n\x00\x00"])
def test_damaged_r_file_is_named(tmp_path: Path, content: bytes) -> None:
    pytest.importorskip("rdata", reason="rdata is not installed")
    (tmp_path / "a.rda").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.rda cannot be read as an R file"):
        _read(tmp_path / "a.rda", reader="rda_list")


def test_missing_r_file_is_named(tmp_path: Path) -> None:
    pytest.importorskip("rdata", reason="rdata is not installed")
    with pytest.raises(DataError, match=r"a\.rda does not exist"):
        _read(tmp_path / "a.rda", reader="rda_list")


def test_missing_package_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def refuse(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "rdata":
            raise ImportError(name)
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(DataError, match=r"pip install 'scbench\[r\]', or convert it"):
        _read(tmp_path / "a.rda", reader="rda_list")


@pytest.mark.parametrize(
    ("reader", "name", "words"),
    [
        ("rds_sce", "deng.rds", r"readRDS\('deng\.rds'\).*counts\(x\)"),
        ("rda_sce", "kang.rda", r"get\(load\('kang\.rda'\)\).*colData"),
        ("rda_cds", "cds.rda", r"exprs\(x\).*pData"),
    ],
)
def test_unreadable_files_of_packages_say_how_to_convert(tmp_path: Path, reader: str, name: str, words: str) -> None:
    pytest.importorskip("rdata", reason="rdata is not installed")
    (tmp_path / name).write_bytes(b"rubbish")
    with pytest.raises(DataError, match=f"not read here: rdata says.*{words}") as caught:
        _read(tmp_path / name, reader=reader)
    assert "\n" not in str(caught.value)
