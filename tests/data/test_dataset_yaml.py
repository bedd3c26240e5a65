"""Every file of conf/dataset."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml

from scbench.data.config import DatasetConfig, FileDataset, RegisteredDataset, SimulatedDataset, SourceFile
from scbench.data.readers import READERS

FOLDER = Path(str(resources.files("scbench.conf"))) / "dataset"
PATHS = sorted(FOLDER.glob("*.yaml"))
SPECIAL: dict[str, tuple[str, type[DatasetConfig]]] = {
    "file": ("file_schema", FileDataset),
    "simulated": ("simulated_schema", SimulatedDataset),
}
REGISTERED = [path for path in PATHS if path.stem not in SPECIAL]
CHECKSUM = re.compile(r"git:[0-9a-f]{40}|sha256:[0-9a-f]{64}|md5:[0-9a-f]{32}")


def _values(path: Path) -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return values


def _dataset(path: Path) -> RegisteredDataset:
    values = {key: value for key, value in _values(path).items() if key != "defaults"}
    return RegisteredDataset(**values | {"files": [SourceFile(**file) for file in values["files"]]})


def test_all_datasets_are_described() -> None:
    assert len(REGISTERED) == 82


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_file_builds_its_dataclass_and_bears_its_name(path: Path) -> None:
    values = _values(path)
    schema, kind = SPECIAL.get(path.stem, ("registered_schema", RegisteredDataset))
    assert values.pop("defaults") == [schema, "_self_"]
    assert kind(**values).name == path.stem
    assert values["title"]


@pytest.mark.parametrize("path", REGISTERED, ids=lambda path: path.stem)
def test_only_departures_from_the_defaults_are_written(path: Path) -> None:
    default = RegisteredDataset()
    for key, value in _values(path).items():
        if key not in ("defaults", "files"):
            assert value != getattr(default, key), key


@pytest.mark.parametrize("path", REGISTERED, ids=lambda path: path.stem)
def test_files_have_readers_checksums_and_https(path: Path) -> None:
    dataset = _dataset(path)
    for position, file in enumerate(dataset.files):
        assert file.reader in READERS
        for checksum in (file.checksum, file.label_checksum):
            assert checksum is None or CHECKSUM.fullmatch(checksum)
        for url in (file.url, file.label_url, file.checksum_api):
            assert url is None or url.startswith("https://")
        assert (file.label_url is None) == (file.label_checksum is None)
        if file.url is None:
            assert file.checksum is not None
            assert file.note
        elif file.checksum is not None:
            assert re.search(r"/[0-9a-f]{40}/", file.url), "a verified url is pinned to a commit"
        assert file.url is not None or position > 0 or len(dataset.files) == 1, "the original comes first"
    sums = [file.checksum for file in dataset.files if file.checksum]
    assert len(sums) == len(set(sums))


@pytest.mark.parametrize("path", REGISTERED, ids=lambda path: path.stem)
def test_description_is_complete(path: Path) -> None:
    dataset = _dataset(path)
    assert dataset.organism
    assert dataset.tissue
    assert dataset.platform
    assert dataset.note
    assert set(dataset.papers) <= {"cicl", "sccagn", "scsamac", "scsiameseclu"}
    for mirror in dataset.mirrors:
        assert re.match(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}:.+", mirror)


def test_values_that_are_no_counts_are_marked() -> None:
    marked = {path.stem: _dataset(path).values for path in REGISTERED if _dataset(path).values != "counts"}
    logs = ["kolodziejczyk_simlr", "mecs", "pollen_simlr"]
    logs += ["tms_bladder", "tms_diaphragm", "tms_limb_muscle", "tms_mammary_gland"]
    linear = ["dendritic", "yan", "yan_csv"]
    assert marked == dict.fromkeys(logs, "log_normalised") | dict.fromkeys(linear, "linear")


def test_only_muraro_is_rounded() -> None:
    rounded = {path.stem: _dataset(path).rounding for path in REGISTERED if _dataset(path).rounding != "none"}
    assert rounded == {"muraro": "round", "muraro_2126": "round"}


def test_rows_without_a_verified_source() -> None:
    unverified = {path.stem for path in REGISTERED if not any(file.checksum for file in _dataset(path).files)}
    tms = {"tms_bladder", "tms_diaphragm", "tms_limb_muscle", "tms_mammary_gland"}
    others = {"bach", "hrvatin", "klein", "kolodziejczyk", "muraro_2126", "retina5", "tosches_turtle"}
    assert unverified == tms | others
