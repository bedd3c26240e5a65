import subprocess
import sys
from pathlib import Path

import pytest

from scbench.data.config import RegisteredDataset, SourceFile
from scbench.data.registry import dataset_names, is_verifiable, load_dataset
from scbench.errors import ConfigError

MD5 = f"md5:{'0' * 32}"
TOY = f"""
defaults: [registered_schema, _self_]
title: Toy
cells: 3
papers: [cicl]
verify: true
files:
  - reader: xy_h5
    url: https://example.org/toy.h5
    checksum: {MD5}
    size_bytes: 12
  - reader: h5ad
"""


@pytest.fixture
def conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "conf" / "dataset"
    folder.mkdir(parents=True)
    monkeypatch.setenv("SCBENCH_CONF", str(folder.parent))
    return folder


def test_names_are_sorted_and_without_the_two_special_ones() -> None:
    names = dataset_names()
    assert names == sorted(set(names))
    assert not {"file", "simulated"} & set(names)


def test_users_folder_adds_names(conf: Path) -> None:
    for stem in ("my_toy", "file", "simulated", "_base", ".hidden"):
        (conf / f"{stem}.yaml").write_text(TOY)
    (conf / "notes.txt").write_text("")
    before = set(dataset_names()) - {"my_toy"}
    assert set(dataset_names()) - before == {"my_toy"}
    assert not {"file", "simulated", "_base", ".hidden", "notes"} & set(dataset_names())


def test_users_folder_may_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCBENCH_CONF", str(tmp_path / "none"))
    dataset_names()


def test_dataset_is_read(conf: Path) -> None:
    (conf / "my_toy.yaml").write_text(TOY)
    assert load_dataset("my_toy") == RegisteredDataset(
        name="my_toy",
        title="Toy",
        cells=3,
        papers=["cicl"],
        files=[
            SourceFile(reader="xy_h5", url="https://example.org/toy.h5", checksum=MD5, size_bytes=12),
            SourceFile(reader="h5ad"),
        ],
    )


def test_own_name_in_the_file_is_kept(conf: Path) -> None:
    (conf / "my_toy.yaml").write_text("name: other\n")
    assert load_dataset("my_toy").name == "other"


def test_users_file_comes_first(conf: Path) -> None:
    names = dataset_names()
    if not names:
        pytest.skip("the package has no datasets")
    (conf / f"{names[0]}.yaml").write_text("title: mine\n")
    assert load_dataset(names[0]).title == "mine"


@pytest.mark.parametrize("name", dataset_names() or [pytest.param("", marks=pytest.mark.skip("no datasets"))])
def test_every_shipped_dataset_loads(name: str) -> None:
    config = load_dataset(name)
    assert config.name == name
    assert config.title
    assert config.files or config.note
    assert all(source.reader != "???" for source in config.files)


def test_unknown_dataset_names_the_nearest(conf: Path) -> None:
    (conf / "my_toy.yaml").write_text(TOY)
    with pytest.raises(ConfigError, match=r"unknown dataset 'my_toi'\. Did you mean 'my_toy'"):
        load_dataset("my_toi")


@pytest.mark.parametrize("name", ["file", "simulated"])
def test_special_datasets_are_not_registered(name: str) -> None:
    with pytest.raises(ConfigError, match=f"unknown dataset '{name}'"):
        load_dataset(name)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("titel: x", r"unknown key 'titel' in .*my_toy\.yaml; did you mean 'title'\?"),
        ("qqqqq: x", r"unknown key 'qqqqq' in .*my_toy\.yaml; known: name, title"),
        ("files: [{reeder: x}]", r"unknown key 'reeder' in .*my_toy\.yaml, files\[0\]; did you mean 'reader'"),
        ("files: [x]", r"my_toy\.yaml must hold key: value pairs, found str"),
        ("- x", r"my_toy\.yaml must hold key: value pairs, found list"),
        ("", r"my_toy\.yaml must hold key: value pairs, found NoneType"),
        ("a: [", r"cannot read .*my_toy\.yaml: .*; correct the file"),
        ("cells: many", r"cells in .*my_toy\.yaml must be int \| None, found 'many'"),
        ("title: 3", r"title in .*my_toy\.yaml must be str, found 3"),
        ("papers: cicl", r"papers in .*my_toy\.yaml must be list\[str\], found 'cicl'"),
        ("files: [{size_bytes: big}]", r"size_bytes in .*files\[0\] must be int \| None, found 'big'"),
        ("files: [{checksum: 'git:12'}]", r"my_toy\.yaml: malformed checksum 'git:12'"),
        ("files: [{label_checksum: abc}]", r"my_toy\.yaml: malformed checksum 'abc'"),
        ("values: integers", r"unknown dataset.values 'integers'"),
    ],
)
def test_mistake_in_a_file_is_a_config_error(conf: Path, text: str, message: str) -> None:
    (conf / "my_toy.yaml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_dataset("my_toy")


def test_file_that_is_not_text_is_a_config_error(conf: Path) -> None:
    (conf / "my_toy.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ConfigError, match=r"cannot read .*my_toy\.yaml"):
        load_dataset("my_toy")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (SourceFile(url="u", checksum=MD5), True),
        (SourceFile(url="u", checksum_api="a"), True),
        (SourceFile(url="u"), False),
        (SourceFile(checksum=MD5), False),
        (SourceFile(url="u", checksum=MD5, label_url="l"), False),
        (SourceFile(url="u", checksum=MD5, label_url="l", label_checksum=MD5), True),
    ],
)
def test_verifiable_needs_address_and_sums(source: SourceFile, expected: bool) -> None:
    assert is_verifiable(source) is expected


def test_heavy_modules_are_not_imported() -> None:
    code = (
        "import sys; from scbench.data.registry import dataset_names, load_dataset;"
        "[load_dataset(n) for n in dataset_names()];"
        "print(sorted({'torch', 'scanpy', 'numpy', 'pandas', 'hydra', 'requests'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
