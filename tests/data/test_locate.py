import hashlib
import importlib.util
import json
import logging
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from scbench.data import file_index
from scbench.data import locate as locate_module
from scbench.data.config import RegisteredDataset, SourceFile
from scbench.data.file_index import FileIndex, url_filename
from scbench.data.folders import cache_folder, data_folder, search_files, search_folders
from scbench.data.locate import embedded_file, locate, stored_name
from scbench.data.registry import dataset_names, load_dataset
from scbench.errors import ConfigError, DataError

GOOD, LABELS, OTHER = b"good counts", b"labels", b"bad counts!"
CALLERS_DATA_PATH = os.environ.get("SCBENCH_DATA_PATH")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def git(content: bytes) -> str:
    return "git:" + hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


SOURCE = SourceFile(reader="xy_h5", url="https://example.org/x/toy%20set.h5?download=1", checksum=git(GOOD))
TOY = RegisteredDataset(name="toy", files=[SOURCE])


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable, name in (("SCBENCH_DATA", "store"), ("SCBENCH_CACHE", "cache"), ("SCBENCH_CONF", "conf")):
        monkeypatch.setenv(variable, str(tmp_path / name))
    monkeypatch.delenv("SCBENCH_DATA_PATH", raising=False)
    return tmp_path / "store"


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setenv("SCBENCH_DATA_PATH", str(folder))
    return folder


def put(path: Path, content: bytes = GOOD) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def register(tmp_path: Path, name: str, text: str) -> None:
    put(tmp_path / "conf" / "dataset" / f"{name}.yaml", text.encode())


# --- folders


def test_folders_default_to_the_user_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCBENCH_DATA", "")
    monkeypatch.delenv("SCBENCH_CACHE")
    assert data_folder().parts[-2:] == ("scbench", "data")
    assert cache_folder().parts[-2:] == ("scbench", "prepared")


def test_folders_expand_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCBENCH_DATA", "~/counts")
    assert data_folder() == Path.home() / "counts"


def test_search_folders_are_in_order_and_once(tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("b", "a", "store"):
        (tmp_path / name).mkdir()
    listed = [tmp_path / "b", tmp_path / "a", tmp_path / "store", tmp_path / "b"]
    monkeypatch.setenv("SCBENCH_DATA_PATH", os.pathsep.join(["", *map(str, listed)]))
    assert search_folders() == [store, tmp_path / "b", tmp_path / "a"]


def test_listed_folder_that_is_missing_is_a_warning(
    tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SCBENCH_DATA_PATH", str(tmp_path / "none"))
    assert search_folders() == [store]
    assert "none, which is not a folder" in caplog.text


def test_search_goes_one_level_deep_and_skips_unfinished_and_hidden(store: Path) -> None:
    put(store / "a.h5")
    put(store / "sub" / "b.h5")
    for name in ("sub/deeper/c.h5", "d.h5.part", ".e.h5.lock", ".hidden/f.h5"):
        put(store / name)
    assert [(file.path.name, file.folder) for file in search_files()] == [("a.h5", None), ("b.h5", "sub")]


def test_folder_that_cannot_be_listed_is_a_warning(
    store: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    assert search_files() == []
    assert "store: Permission denied" in caplog.text


# --- by checksum


@pytest.mark.parametrize("place", ["toy set.h5", "renamed.bin", "toy/toy set.h5", "anything/x"])
def test_file_is_found_under_any_name(store: Path, place: str) -> None:
    path = put(store / place)
    found = locate(TOY)
    assert found is not None
    assert (found.path, found.source, found.sha256) == (path, SOURCE, sha256(GOOD))
    assert (found.label_path, found.label_sha256, found.origin) == (None, None, "data folder")


@pytest.mark.parametrize("algorithm", ["sha256", "md5"])
def test_other_algorithms_work_too(store: Path, algorithm: str) -> None:
    put(store / "x")
    checksum = f"{algorithm}:{hashlib.new(algorithm, GOOD).hexdigest()}"
    assert locate(replace(TOY, files=[replace(SOURCE, checksum=checksum)])) is not None


def test_file_on_the_data_path_is_found(shelf: Path) -> None:
    path = put(shelf / "sub" / "renamed")
    found = locate(TOY)
    assert found is not None
    assert (found.path, found.origin) == (path, "data path")


def test_data_folder_comes_before_the_data_path(store: Path, shelf: Path) -> None:
    put(shelf / "a")
    path = put(store / "z")
    found = locate(TOY)
    assert found is not None
    assert found.path == path


def test_symbolic_link_is_followed(tmp_path: Path, shelf: Path) -> None:
    (shelf / "link").symlink_to(put(tmp_path / "elsewhere"))
    (shelf / "dangling").symlink_to(tmp_path / "none")
    assert locate(TOY) is not None


def test_nothing_here_is_none() -> None:
    assert locate(TOY) is None
    assert locate(replace(TOY, verify=False)) is None


def test_too_deep_is_not_found(store: Path) -> None:
    put(store / "a" / "b" / "x")
    assert locate(TOY) is None


def test_only_files_of_the_known_size_are_read(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store / "a_big_one", GOOD * 2)
    put(store / "x")
    read: list[str] = []
    real = file_index.file_checksums
    monkeypatch.setattr(file_index, "file_checksums", lambda path: read.append(path.name) or real(path))
    assert locate(replace(TOY, files=[replace(SOURCE, size_bytes=len(GOOD))])) is not None
    assert read == ["x"]


def test_one_index_reads_each_file_once(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store / "a", OTHER)
    put(store / "x")
    read: list[str] = []
    real = file_index.file_checksums
    monkeypatch.setattr(file_index, "file_checksums", lambda path: read.append(path.name) or real(path))
    index = FileIndex()
    assert locate(TOY, index) == locate(TOY, index)
    assert read == ["a", "x"]


def test_file_in_the_folder_of_the_dataset_is_read_first(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store / "a" / "big", OTHER)
    put(store / "toy" / "x")
    read: list[str] = []
    real = file_index.file_checksums
    monkeypatch.setattr(file_index, "file_checksums", lambda path: read.append(path.name) or real(path))
    assert locate(TOY) is not None
    assert read == ["x"]


def test_second_accepted_file_is_found(store: Path) -> None:
    put(store / "x", OTHER)
    converted = SourceFile(reader="xy_h5", checksum=git(OTHER))
    found = locate(replace(TOY, files=[SOURCE, converted]))
    assert found is not None
    assert found.source == converted


def test_unreadable_file_is_a_warning(
    store: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    put(store / "x")

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(file_index, "file_checksums", refuse)
    assert locate(TOY) is None
    assert "cannot use" in caplog.text
    assert "Permission denied" in caplog.text


def test_malformed_checksum_is_a_config_error(store: Path) -> None:
    put(store / "x")
    with pytest.raises(ConfigError, match="malformed checksum 'crc:1'"):
        locate(replace(TOY, files=[replace(SOURCE, checksum="crc:1")]))


# --- labels in a second file

LABELLED = replace(TOY, files=[replace(SOURCE, label_url="https://example.org/label.csv", label_checksum=git(LABELS))])


def test_labels_are_found_too(store: Path, shelf: Path) -> None:
    put(store / "x")
    label = put(shelf / "y", LABELS)
    found = locate(LABELLED)
    assert found is not None
    assert (found.label_path, found.label_sha256) == (label, sha256(LABELS))


def test_data_without_their_labels_are_not_enough(store: Path) -> None:
    put(store / "x")
    assert locate(LABELLED) is None
    assert locate(replace(LABELLED, verify=False)) is None


def test_wrong_labels_are_an_error(store: Path) -> None:
    put(store / "x")
    put(store / "toy" / "label.csv", OTHER)
    with pytest.raises(DataError, match=rf"label\.csv is not .*expected {git(LABELS)}, found {git(OTHER)}"):
        locate(LABELLED)


def test_labels_are_taken_by_name_when_unverified(store: Path, caplog: pytest.LogCaptureFixture) -> None:
    put(store / "x")
    label = put(store / "toy" / "label.csv", OTHER)
    found = locate(replace(LABELLED, verify=False))
    assert found is not None
    assert (found.label_path, found.label_sha256) == (label, sha256(OTHER))
    assert [record.getMessage() for record in caplog.records] == [
        f"toy: using {label} by its name, not verified (dataset.verify=false)"
    ]


# --- the right name and the wrong content


@pytest.mark.parametrize("place", ["toy set.h5", "toy.h5", "toy/toy set.h5", "sub/toy.h5"])
def test_right_name_with_wrong_content_is_an_error(store: Path, place: str) -> None:
    path = put(store / place, OTHER)
    with pytest.raises(DataError) as raised:
        locate(TOY)
    assert str(raised.value) == (
        f"{path} is not the file of dataset 'toy': expected {git(GOOD)}, found {git(OTHER)}; "
        "delete or move it and fetch again, or use it as it is with dataset.verify=false"
    )


def test_wrong_file_beside_the_right_one_is_no_error(store: Path, shelf: Path) -> None:
    put(store / "toy.h5", OTHER)
    path = put(shelf / "x")
    found = locate(TOY)
    assert found is not None
    assert found.path == path


def test_converted_copy_with_wrong_content_is_an_error(store: Path) -> None:
    put(store / "toy.h5", OTHER)
    original = replace(SOURCE, reader="rda_list", url="https://example.org/Toy.rda")
    converted = SourceFile(reader="xy_h5", checksum=git(LABELS))
    with pytest.raises(DataError, match=rf"toy\.h5 is not .*expected {git(LABELS)}"):
        locate(replace(TOY, files=[original, converted]))


def test_notes_named_after_the_dataset_are_no_error(store: Path) -> None:
    put(store / "toy.txt", OTHER)
    assert locate(TOY) is None


def test_file_of_another_dataset_is_no_error(tmp_path: Path, store: Path) -> None:
    register(tmp_path, "other", f"files: [{{reader: xy_h5, checksum: '{git(OTHER)}'}}]")
    put(store / "toy set.h5", OTHER)
    assert locate(TOY) is None


def test_name_that_another_dataset_uses_too_is_no_error(tmp_path: Path, store: Path) -> None:
    register(tmp_path, "broken", "- not a dataset")
    register(tmp_path, "other", "files: [{reader: xy_h5, url: 'https://example.org/y/toy%20set.h5'}]")
    put(store / "toy set.h5", OTHER)
    assert locate(TOY) is None


def test_file_in_the_folder_of_another_dataset_is_left_alone(tmp_path: Path, store: Path) -> None:
    register(tmp_path, "other", "title: Other")
    put(store / "other" / "toy set.h5", OTHER)
    assert locate(TOY) is None
    assert locate(replace(TOY, verify=False)) is None


# --- verify=false


@pytest.mark.parametrize("place", ["toy set.h5", "toy.h5", "toy/toy set.h5"])
def test_unverified_file_is_taken_by_name_with_a_warning(
    store: Path, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = put(store / place, OTHER)
    found = locate(replace(TOY, verify=False))
    assert found is not None
    assert (found.path, found.sha256) == (path, sha256(OTHER))
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "not verified (dataset.verify=false)" in caplog.text


def test_verified_file_is_preferred_without_a_warning(store: Path, caplog: pytest.LogCaptureFixture) -> None:
    put(store / "toy.h5", OTHER)
    path = put(store / "x")
    found = locate(replace(TOY, verify=False))
    assert found is not None
    assert found.path == path
    assert not caplog.records


def test_file_in_the_folder_of_the_dataset_is_preferred_by_name(store: Path) -> None:
    put(store / "toy set.h5", OTHER)
    path = put(store / "toy" / "toy set.h5", OTHER)
    found = locate(replace(TOY, verify=False))
    assert found is not None
    assert found.path == path


def test_file_without_a_checksum_needs_verify_false(store: Path) -> None:
    put(store / "toy.h5")
    config = replace(TOY, files=[replace(SOURCE, checksum=None)])
    assert locate(config) is None
    assert locate(replace(config, verify=False)) is not None


# --- checksums remembered from the host

PUBLISHED = replace(TOY, files=[replace(SOURCE, checksum=None, checksum_api="https://example.org/api")])


def note(checksum: object, size: object = len(GOOD)) -> bytes:
    return json.dumps({"url": SOURCE.url, "checksum": checksum, "size_bytes": size}).encode()


def test_remembered_checksum_verifies_offline(store: Path) -> None:
    put(store / "toy" / "toy set.h5.checksum.json", note(git(GOOD)))
    assert locate(PUBLISHED) is None
    path = put(store / "renamed")
    found = locate(PUBLISHED)
    assert found is not None
    assert found.path == path


def test_file_against_its_remembered_checksum_is_an_error(store: Path) -> None:
    put(store / "toy" / "toy set.h5.checksum.json", note(git(GOOD)))
    put(store / "toy" / "toy set.h5", OTHER)
    with pytest.raises(DataError, match=f"expected {git(GOOD)}"):
        locate(PUBLISHED)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'"x"', note(None), note("md5:1"), b"\xff"])
def test_damaged_note_is_a_warning(store: Path, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    put(store / "toy" / "x.checksum.json", content)
    put(store / "toy" / "x")
    assert locate(PUBLISHED) is None
    assert "x.checksum.json is damaged and ignored" in caplog.text


# --- the embedded dataset


@pytest.fixture
def scanpy_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = put(tmp_path / "site" / "scanpy" / "datasets" / "10x_pbmc68k_reduced.h5ad")
    init = put(tmp_path / "site" / "scanpy" / "__init__.py", b"raise RuntimeError('imported')")
    spec = importlib.util.spec_from_file_location("scanpy", init)
    monkeypatch.setattr(locate_module.importlib.util, "find_spec", lambda name: spec)
    return path


EMBEDDED = RegisteredDataset(name="pbmc", files=[SourceFile(reader="pbmc68k_reduced", checksum=git(GOOD))])


def test_embedded_dataset_is_found_inside_scanpy(scanpy_copy: Path) -> None:
    found = locate(EMBEDDED)
    assert found is not None
    assert (found.path, found.origin) == (scanpy_copy, "embedded")


def test_embedded_dataset_of_another_scanpy_is_an_error(scanpy_copy: Path) -> None:
    put(scanpy_copy, OTHER)
    with pytest.raises(DataError, match=rf"10x_pbmc68k_reduced\.h5ad is not .*found {git(OTHER)}"):
        locate(EMBEDDED)
    found = locate(replace(EMBEDDED, verify=False))
    assert found is not None
    assert (found.path, found.origin) == (scanpy_copy, "embedded")


def test_embedded_dataset_without_a_checksum_needs_verify_false(scanpy_copy: Path) -> None:
    config = replace(EMBEDDED, files=[SourceFile(reader="pbmc68k_reduced")])
    assert locate(config) is None
    assert locate(replace(config, verify=False)) is not None


def test_embedded_dataset_without_scanpy_is_none(monkeypatch: pytest.MonkeyPatch, store: Path) -> None:
    monkeypatch.setattr(locate_module.importlib.util, "find_spec", lambda name: None)
    assert embedded_file() is None
    assert locate(EMBEDDED) is None
    put(store / "copy")
    assert locate(EMBEDDED) is not None


def test_installed_scanpy_is_not_imported() -> None:
    code = (
        "import sys; from scbench.data.locate import embedded_file; print(embedded_file());"
        "print(sorted({'torch', 'scanpy', 'numpy', 'requests'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    path, modules = told.stdout.splitlines()
    assert path.endswith("10x_pbmc68k_reduced.h5ad")
    assert modules == "[]"


# --- names


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://h/a/b.h5?download=1", "b.h5"),
        ("https://h/a/b%20c.csv.gz#x", "b c.csv.gz"),
        ("https://h/", ""),
        ("https://h/a%2Fb.h5", "b.h5"),
    ],
)
def test_name_of_a_url(url: str, name: str) -> None:
    assert url_filename(url) == name


@pytest.mark.parametrize(
    ("url", "reader", "name"),
    [
        ("https://h/data.h5", "quake_h5", "data.h5"),
        ("https://h/files/23872610", "h5ad", "toy.h5ad"),
        ("https://h/", "other", "toy"),
    ],
)
def test_stored_name_has_a_suffix_where_known(url: str, reader: str, name: str) -> None:
    assert stored_name(TOY, SourceFile(reader=reader, url=url)) == name


def test_compressed_file_named_after_the_dataset_is_taken_by_name(store: Path) -> None:
    path = put(store / "toy.csv.gz", OTHER)
    config = replace(TOY, verify=False, files=[replace(SOURCE, url="https://example.org/sc.v2.csv.gz")])
    found = locate(config)
    assert found is not None
    assert found.path == path


# --- real files, when the caller has some


@pytest.mark.skipif(not CALLERS_DATA_PATH, reason="SCBENCH_DATA_PATH is not set")
@pytest.mark.parametrize(
    "name", ["mouse_pancreas_1", "worm_neuron", "cite_cbmc", "goolam", "yan", "paul15", "young_top2000"]
)
def test_real_file_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name not in dataset_names():
        pytest.skip(f"{name} is not registered")
    monkeypatch.setenv("SCBENCH_DATA_PATH", str(CALLERS_DATA_PATH))
    found = locate(load_dataset(name))
    if found is None:
        pytest.skip(f"{name} is not in SCBENCH_DATA_PATH")
    assert found.origin == "data path"
    assert hashlib.sha256(found.path.read_bytes()).hexdigest() == found.sha256


def test_real_embedded_dataset_is_found() -> None:
    if "pbmc68k_reduced" not in dataset_names():
        pytest.skip("pbmc68k_reduced is not registered")
    found = locate(load_dataset("pbmc68k_reduced"))
    assert found is not None
    assert found.origin == "embedded"
