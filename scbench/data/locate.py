"""Find the files of a dataset on this machine: by checksum, under any name."""

from __future__ import annotations

import importlib.util
import logging
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from scbench.data.checksum import Checksums, matches, split_checksum
from scbench.data.config import RegisteredDataset, SourceFile
from scbench.data.file_index import FileIndex, url_filename
from scbench.data.folders import SearchFile
from scbench.data.registry import dataset_names, load_dataset
from scbench.errors import ConfigError, DataError

__all__ = ["EMBEDDED_READER", "Located", "embedded_file", "expected_checksum", "locate", "stored_name"]

logger = logging.getLogger(__name__)

EMBEDDED_READER = "pbmc68k_reduced"
_EMBEDDED = "embedded"
_READER_SUFFIXES = (".h5ad", ".loom", ".h5", ".csv")
_COMPRESSED = (".gz", ".bz2", ".xz")


@dataclass(frozen=True, slots=True)
class Located:
    """The files of a dataset on this machine.

    Attributes:
        path: the data file.
        source: the entry of the dataset's ``files`` that it belongs to.
        sha256: of the data file, hex.
        label_path, label_sha256: the same for a separate file of labels; None when the source has none.
        origin: ``data folder``, ``data path``, ``download`` or ``embedded``.
    """

    path: Path
    source: SourceFile
    sha256: str
    label_path: Path | None
    label_sha256: str | None
    origin: str


def locate(config: RegisteredDataset, index: FileIndex | None = None) -> Located | None:
    """Return the dataset's files when they are on this machine, else None. Nothing is downloaded.

    Every accepted file is looked for by checksum, under any name. With ``verify=false`` a file that only has
    the right name is accepted too, with a logged warning.

    Args:
        config: the dataset.
        index: the files to look through; made anew when None.

    Raises:
        DataError: if nothing verified is found but a file of the right name has another checksum.
        ConfigError: if a checksum of the dataset is malformed.
    """
    index = FileIndex() if index is None else index
    for source in config.files:
        if (found := _verified(config, source, index)) is not None:
            return found
    if config.verify:
        _refuse_wrong(config, index)
        return None
    for source in config.files:
        if (found := _by_name(config, source, index)) is not None:
            return found
    return None


def expected_checksum(source: SourceFile, index: FileIndex) -> tuple[str, int | None] | None:
    """Return checksum and size of ``source``, on record or as remembered from its host; None when unknown."""
    if source.checksum is not None:
        return source.checksum, source.size_bytes
    if source.checksum_api is not None and source.url is not None:
        return index.published.get(source.url)
    return None


def stored_name(config: RegisteredDataset, source: SourceFile) -> str:
    """Return the name of a stored download of ``source``: that of its url where that has a suffix."""
    name = url_filename(source.url or "")
    return name if PurePosixPath(name).suffix else f"{config.name}{_suffix(source)}"


def embedded_file() -> Path | None:
    """Return the path of the dataset shipped inside scanpy, which is not imported; None without scanpy."""
    spec = importlib.util.find_spec("scanpy")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "datasets" / "10x_pbmc68k_reduced.h5ad"
    return path if path.is_file() else None


def _verified(config: RegisteredDataset, source: SourceFile, index: FileIndex) -> Located | None:
    label = _verified_label(config, source, index)
    if source.label_url is not None and label is None:
        return None
    data = _verified_data(config, source, index)
    return _located(source, *data, label, index) if data is not None else None


def _verified_data(config: RegisteredDataset, source: SourceFile, index: FileIndex) -> tuple[Path, str] | None:
    """Return path and origin of the data file with the right checksum, the embedded copy first."""
    expected = expected_checksum(source, index)
    if expected is None:
        return None
    embedded = embedded_file() if source.reader == EMBEDDED_READER else None
    if embedded is not None:
        checksums = index.checksums(embedded)
        if checksums is not None and matches(checksums, expected[0]):
            return embedded, _EMBEDDED
    file = index.with_checksum(*expected, config.name)
    return (file.path, file.origin) if file is not None else None


def _verified_label(config: RegisteredDataset, source: SourceFile, index: FileIndex) -> SearchFile | None:
    if source.label_checksum is None:
        return None
    return index.with_checksum(source.label_checksum, None, config.name)


def _by_name(config: RegisteredDataset, source: SourceFile, index: FileIndex) -> Located | None:
    """Return files with the right names, for ``verify=false``; verified ones are preferred."""
    unverified: list[Path] = []
    data = _verified_data(config, source, index)
    if data is None:
        data = _named_data(config, source, index)
        if data is None:
            return None
        unverified.append(data[0])
    label = _verified_label(config, source, index)
    if source.label_url is not None and label is None:
        label = next(iter(index.with_name({url_filename(source.label_url)}, config.name)), None)
        if label is None:
            return None
        unverified.append(label.path)
    for path in unverified:
        logger.warning("%s: using %s by its name, not verified (dataset.verify=false)", config.name, path)
    return _located(source, *data, label, index)


def _named_data(config: RegisteredDataset, source: SourceFile, index: FileIndex) -> tuple[Path, str] | None:
    if source.reader == EMBEDDED_READER and (embedded := embedded_file()) is not None:
        return embedded, _EMBEDDED
    file = next(iter(index.with_name(_data_names(config, source), config.name)), None)
    return (file.path, file.origin) if file is not None else None


def _located(source: SourceFile, path: Path, origin: str, label: SearchFile | None, index: FileIndex) -> Located | None:
    checksums = index.checksums(path)
    label_checksums = index.checksums(label.path) if label is not None else None
    if checksums is None or (label is not None and label_checksums is None):
        return None
    return Located(
        path=path,
        source=source,
        sha256=checksums.sha256,
        label_path=label.path if label is not None else None,
        label_sha256=label_checksums.sha256 if label_checksums is not None else None,
        origin=origin,
    )


def _data_names(config: RegisteredDataset, source: SourceFile) -> set[str]:
    """Return the names under which the data file of ``source`` is expected."""
    names = {url_filename(source.url)} if source.url is not None else set()
    return names | {f"{config.name}{suffix}" for suffix in [_suffix(source)] if suffix}


def _suffix(source: SourceFile) -> str:
    """Return what the file's name ends with, by its url or else by its reader; empty when neither tells."""
    suffixes = PurePosixPath(url_filename(source.url or "")).suffixes
    if suffixes:
        return "".join(suffixes[-2:] if suffixes[-1] in _COMPRESSED else suffixes[-1:])
    return next((suffix for suffix in _READER_SUFFIXES if suffix[1:] in source.reader), "")


def _refuse_wrong(config: RegisteredDataset, index: FileIndex) -> None:
    """Raise a DataError when a file has the right name and the wrong content."""
    for source in config.files:
        expected = expected_checksum(source, index)
        if expected is not None and _verified_data(config, source, index) is None:
            paths = [file.path for file in index.with_name(_data_names(config, source), config.name)]
            if source.reader == EMBEDDED_READER and (embedded := embedded_file()) is not None:
                paths.append(embedded)
            _refuse(config, paths, expected[0], index)
        if source.label_url is not None and source.label_checksum is not None:
            labels = index.with_name({url_filename(source.label_url)}, config.name)
            if _verified_label(config, source, index) is None:
                _refuse(config, [file.path for file in labels], source.label_checksum, index)


def _refuse(config: RegisteredDataset, paths: list[Path], expected: str, index: FileIndex) -> None:
    algorithm, _ = split_checksum(expected)
    for path in paths:
        checksums = index.checksums(path)
        if checksums is None or any(matches(checksums, accepted) for accepted in _all_checksums(config)):
            continue
        if not _belongs_elsewhere(config, path, checksums):
            raise DataError(
                f"{path} is not the file of dataset {config.name!r}: expected {expected}, "
                f"found {algorithm}:{getattr(checksums, algorithm)}; "
                "delete or move it and fetch again, or use it as it is with dataset.verify=false"
            )


def _belongs_elsewhere(config: RegisteredDataset, path: Path, checksums: Checksums) -> bool:
    """Return whether another registered dataset accepts the file, or calls its own by this very name."""
    if path.parent.name == config.name or path.name.startswith(f"{config.name}."):
        return False
    for name in dataset_names():
        if name == config.name:
            continue
        try:
            other = load_dataset(name)
        except ConfigError:
            continue
        urls = [url for source in other.files for url in (source.url, source.label_url) if url is not None]
        if path.name in {url_filename(url) for url in urls}:
            return True
        if any(matches(checksums, checksum) for checksum in _all_checksums(other)):
            return True
    return False


def _all_checksums(config: RegisteredDataset) -> list[str]:
    pairs = [(source.checksum, source.label_checksum) for source in config.files]
    return [checksum for pair in pairs for checksum in pair if checksum is not None]
