import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from scbench.data import locate as locate_module
from scbench.data.config import RegisteredDataset, SourceFile
from scbench.data.fetch import fetch, published_checksum
from scbench.data.locate import locate
from scbench.errors import DataError

pytestmark = pytest.mark.usefixtures("store")

GOOD, LABELS, OTHER = b"good counts", b"labels", b"bad counts!"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def md5(content: bytes) -> str:
    return f"md5:{hashlib.md5(content).hexdigest()}"


class Quiet(SimpleHTTPRequestHandler):
    asked: list[str]

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()


@pytest.fixture
def asked() -> list[str]:
    """The paths that were asked for."""
    return []


@pytest.fixture
def site(tmp_path: Path, asked: list[str]) -> Iterator[tuple[Path, str]]:
    """A folder and the address at which it is served."""
    folder = tmp_path / "site"
    folder.mkdir()
    handler = type("Noting", (Quiet,), {"asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def toy(site: tuple[Path, str]) -> RegisteredDataset:
    folder, address = site
    (folder / "set.h5").write_bytes(GOOD)
    source = SourceFile(reader="xy_h5", url=f"{address}/set.h5?download=1", checksum=md5(GOOD))
    return RegisteredDataset(name="toy", files=[source])


@pytest.fixture
def labelled(toy: RegisteredDataset, site: tuple[Path, str]) -> RegisteredDataset:
    folder, address = site
    (folder / "label.csv").write_bytes(LABELS)
    source = replace(toy.files[0], label_url=f"{address}/label.csv", label_checksum=md5(LABELS))
    return replace(toy, files=[source])


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_file_is_downloaded_into_the_folder_of_the_dataset(store: Path, toy: RegisteredDataset) -> None:
    got = fetch(toy)
    assert got.path == store / "toy" / "set.h5"
    assert got.path.read_bytes() == GOOD
    assert (got.source, got.sha256, got.origin) == (toy.files[0], sha256(GOOD), "download")
    assert (got.label_path, got.label_sha256) == (None, None)


def test_fetched_file_is_located_afterwards(toy: RegisteredDataset, asked: list[str]) -> None:
    got = fetch(toy)
    again = fetch(toy)
    assert again == replace(got, origin="data folder") == locate(toy)
    assert len(asked) == 1


def test_file_that_is_here_needs_no_network(store: Path, toy: RegisteredDataset, asked: list[str]) -> None:
    path = put(store / "by hand", GOOD)
    assert fetch(toy).path == path
    assert asked == []


def test_labels_are_downloaded_too(store: Path, labelled: RegisteredDataset) -> None:
    got = fetch(labelled)
    assert got.label_path == store / "toy" / "label.csv"
    assert got.label_sha256 == sha256(LABELS)
    assert fetch(labelled) == replace(got, origin="data folder")


def test_only_the_missing_labels_are_downloaded(store: Path, labelled: RegisteredDataset, asked: list[str]) -> None:
    path = put(store / "renamed", GOOD)
    got = fetch(labelled)
    assert (got.path, got.origin) == (path, "data folder")
    assert got.label_path == store / "toy" / "label.csv"
    assert asked == ["/label.csv"]


def test_labels_of_the_same_name_do_not_replace_the_data(site: tuple[Path, str], labelled: RegisteredDataset) -> None:
    folder, address = site
    put(folder / "other" / "set.h5", LABELS)
    source = replace(labelled.files[0], label_url=f"{address}/other/set.h5")
    got = fetch(replace(labelled, files=[source]))
    assert got.path.read_bytes() == GOOD
    assert got.label_path is not None
    assert got.label_path.read_bytes() == LABELS


def test_wrong_labels_are_an_error(site: tuple[Path, str], labelled: RegisteredDataset) -> None:
    put(site[0] / "label.csv", OTHER)
    with pytest.raises(DataError, match=rf"label\.csv sent a wrong file.*expected {md5(LABELS)}"):
        fetch(labelled)


def test_wrong_file_is_an_error_and_not_kept(store: Path, site: tuple[Path, str], toy: RegisteredDataset) -> None:
    put(site[0] / "set.h5", OTHER)
    with pytest.raises(DataError, match=f"sent a wrong file.*expected {md5(GOOD)}, found {md5(OTHER)}"):
        fetch(toy)
    assert not list(store.rglob("set.h5*"))


def test_wrong_file_in_the_store_is_an_error_without_a_download(
    store: Path, toy: RegisteredDataset, asked: list[str]
) -> None:
    put(store / "toy" / "set.h5", OTHER)
    with pytest.raises(DataError, match=r"set\.h5 is not the file of dataset 'toy'"):
        fetch(toy)
    assert asked == []


def test_second_file_is_downloaded_when_the_first_has_no_address(toy: RegisteredDataset) -> None:
    converted = SourceFile(reader="xy_h5", checksum=md5(OTHER))
    unverifiable = SourceFile(reader="xy_h5", url="http://127.0.0.1:9/x.h5")
    assert fetch(replace(toy, files=[converted, unverifiable, *toy.files])).source == toy.files[0]


# --- no source


def test_dataset_without_a_url_quotes_the_note(store: Path) -> None:
    config = RegisteredDataset(name="toy", files=[SourceFile(reader="xy_h5")], note="Ask the authors.")
    with pytest.raises(DataError) as raised:
        fetch(config)
    assert str(raised.value) == (
        "dataset 'toy' has no verified source (Ask the authors); "
        f"put the file into {store / 'toy'} by hand and set dataset.verify=false"
    )


def test_dataset_without_files_points_to_own_files() -> None:
    with pytest.raises(DataError, match=r"has no verified source; use a file of your own with dataset=file"):
        fetch(RegisteredDataset(name="toy"))


def test_dataset_without_a_checksum_names_its_url(toy: RegisteredDataset, asked: list[str]) -> None:
    source = replace(toy.files[0], checksum=None)
    with pytest.raises(
        DataError, match=r"no verified source; accept http\S*set\.h5\?download=1 as it is with .*, or put"
    ):
        fetch(replace(toy, files=[source]))
    assert asked == []


def test_labels_without_a_checksum_are_no_verified_source(labelled: RegisteredDataset) -> None:
    with pytest.raises(DataError, match="no verified source"):
        fetch(replace(labelled, files=[replace(labelled.files[0], label_checksum=None)]))


def test_embedded_dataset_without_scanpy_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locate_module.importlib.util, "find_spec", lambda name: None)
    source = SourceFile(reader="pbmc68k_reduced", checksum=md5(GOOD))
    with pytest.raises(DataError, match="'pbmc' comes with scanpy, which was not found; install scanpy"):
        fetch(RegisteredDataset(name="pbmc", files=[source]))


# --- verify=false


@pytest.mark.parametrize("checksum", [None, md5(OTHER)])
def test_unverified_download_is_used_with_a_warning(
    toy: RegisteredDataset, checksum: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    config = replace(toy, verify=False, files=[replace(toy.files[0], checksum=checksum)])
    got = fetch(config)
    assert (got.path.read_bytes(), got.sha256) == (GOOD, sha256(GOOD))
    assert "set.h5 is used as it came, not verified (dataset.verify=false)" in caplog.text


def test_right_download_gives_no_warning(toy: RegisteredDataset, caplog: pytest.LogCaptureFixture) -> None:
    fetch(replace(toy, verify=False))
    assert "not verified" not in caplog.text


def test_own_unverified_file_is_not_replaced(store: Path, labelled: RegisteredDataset, asked: list[str]) -> None:
    path = put(store / "toy" / "set.h5", OTHER)
    got = fetch(replace(labelled, verify=False))
    assert got.path == path
    assert path.read_bytes() == OTHER
    assert asked == ["/label.csv"]


# --- checksums published by the host


@pytest.fixture
def published(toy: RegisteredDataset, site: tuple[Path, str]) -> RegisteredDataset:
    return replace(toy, files=[replace(toy.files[0], checksum=None, checksum_api=f"{site[1]}/api")])


def zenodo(content: bytes, key: str = "set.h5") -> bytes:
    other = {"key": "other.h5", "checksum": md5(OTHER), "size": 3}
    return json.dumps({"files": [other, {"key": key, "checksum": md5(content), "size": len(content)}]}).encode()


def test_zenodo_checksum_is_looked_up_and_remembered(
    site: tuple[Path, str], published: RegisteredDataset, asked: list[str]
) -> None:
    put(site[0] / "api", zenodo(GOOD))
    got = fetch(published)
    assert got.path.read_bytes() == GOOD
    assert asked == ["/api", "/set.h5?download=1"]
    assert fetch(published) == replace(got, origin="data folder")
    assert len(asked) == 2


def test_file_put_there_by_hand_is_recognised_by_the_published_checksum(
    site: tuple[Path, str], store: Path, published: RegisteredDataset, asked: list[str]
) -> None:
    put(site[0] / "api", zenodo(GOOD))
    path = put(store / "renamed", GOOD)
    assert locate(published) is None
    assert fetch(published).path == path
    assert asked == ["/api"]
    assert locate(published) is not None


def test_download_against_the_published_checksum_is_an_error(
    site: tuple[Path, str], published: RegisteredDataset
) -> None:
    put(site[0] / "api", zenodo(OTHER))
    with pytest.raises(DataError, match=f"expected {md5(OTHER)}, found {md5(GOOD)}"):
        fetch(published)


def test_host_is_not_asked_when_unverified(published: RegisteredDataset, asked: list[str]) -> None:
    fetch(replace(published, verify=False))
    assert asked == ["/set.h5?download=1"]


def test_store_that_cannot_hold_the_note_is_an_error_of_the_download(
    site: tuple[Path, str], store: Path, published: RegisteredDataset, caplog: pytest.LogCaptureFixture
) -> None:
    put(site[0] / "api", zenodo(GOOD))
    put(store, b"a file")
    with pytest.raises(DataError, match="cannot write"):
        fetch(published)
    assert "is not remembered" in caplog.text


def test_figshare_checksum_is_found_by_number(site: tuple[Path, str]) -> None:
    entry = {"id": 23872610, "name": "Bladder.h5ad", "size": 7, "computed_md5": "0" * 32}
    put(site[0] / "article", json.dumps({"files": [{"id": 1, "computed_md5": "1" * 32}, entry]}).encode())
    source = SourceFile(url="https://host/files/23872610", checksum_api=f"{site[1]}/article")
    assert published_checksum(source) == (f"md5:{'0' * 32}", 7)


def test_figshare_files_beyond_the_first_are_found(site: tuple[Path, str], asked: list[str]) -> None:
    first = {"id": 1, "size": 7, "computed_md5": "1" * 32}
    put(site[0] / "article" / "index.html", json.dumps({"files": [first]}).encode())
    put(site[0] / "article" / "files", json.dumps([first, first | {"id": 2}]).encode())
    source = SourceFile(url="https://host/files/2", checksum_api=f"{site[1]}/article")
    assert published_checksum(source) == (f"md5:{'1' * 32}", 7)
    assert asked[-1] == "/article/files?page_size=1000"


@pytest.mark.parametrize("record", [[], {}, {"files": None}, {"files": ["x"]}, {"files": [{"key": "set.h5"}]}, "text"])
def test_host_that_does_not_list_the_file_is_an_error(
    site: tuple[Path, str], published: RegisteredDataset, record: object
) -> None:
    put(site[0] / "api", json.dumps(record).encode())
    with pytest.raises(DataError, match=r"/api lists no checksum of 'set\.h5'; check"):
        fetch(published)
