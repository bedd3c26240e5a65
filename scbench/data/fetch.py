"""Bring the files of a dataset to this machine."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

from scbench.data.checksum import file_checksums, matches
from scbench.data.config import RegisteredDataset, SourceFile
from scbench.data.file_index import NOTE_SUFFIX, FileIndex, url_filename
from scbench.data.folders import data_folder
from scbench.data.locate import EMBEDDED_READER, Located, expected_checksum, locate, stored_name
from scbench.data.registry import is_verifiable
from scbench.errors import DataError
from scbench.whole_file import write_whole

__all__ = ["fetch", "published_checksum"]

logger = logging.getLogger(__name__)

_DOWNLOAD = "download"


def fetch(config: RegisteredDataset, *, progress: bool = True) -> Located:
    """Return the dataset's files, downloaded and verified unless they are on this machine already.

    Downloads go to a folder of the dataset's name in the data folder. With ``verify=false`` a file of unknown
    or wrong checksum is accepted, with a logged warning.

    Args:
        config: the dataset.
        progress: whether to show a bar on a terminal.

    Raises:
        DataError: if there is no source, the download fails, or a file is not the right one.
    """
    index = FileIndex()
    if (found := locate(config, index)) is not None:
        return found
    source = _downloadable(config)
    expected = expected_checksum(source, index)
    if expected is None and config.verify:
        expected = published_checksum(source)
        _note(config, source, *expected)
    checksum, size_bytes = expected if expected is not None else (None, source.size_bytes)
    name = stored_name(config, source)
    path, sha256, origin = _obtain(config, str(source.url), name, checksum, size_bytes, index, progress)
    label_path, label_sha256 = None, None
    if source.label_url is not None:
        label_name = url_filename(source.label_url)
        label_name = label_name if label_name != name else f"labels-{label_name}"
        label_path, label_sha256, _ = _obtain(
            config, source.label_url, label_name, source.label_checksum, None, index, progress
        )
    return Located(path, source, sha256, label_path, label_sha256, origin)


def published_checksum(source: SourceFile) -> tuple[str, int | None]:
    """Return md5 (as ``md5:...``) and size of ``source`` as its host publishes them.

    Zenodo lists a file by its name, figshare by its number, the last part of the url in both cases. A
    figshare article may list only its first files; all of them are at ``<address>/files``.

    Raises:
        DataError: if the address cannot be read or does not list the file.
    """
    from scbench.data.http import read_json

    api = str(source.checksum_api)
    wanted = url_filename(str(source.url))
    entries = _entries(read_json(api))
    found = next(_published(entries, wanted), None)
    if found is None and any("computed_md5" in entry for entry in entries):
        found = next(_published(_entries(read_json(f"{api}/files?page_size=1000")), wanted), None)
    if found is None:
        raise DataError(
            f"{api} lists no checksum of {wanted!r}; check the dataset's url, or accept any content with "
            "dataset.verify=false"
        )
    return found


def _entries(record: object) -> list[dict[str, object]]:
    listed = record.get("files") if isinstance(record, dict) else record
    return [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []


def _published(entries: list[dict[str, object]], wanted: str) -> Iterator[tuple[str, int | None]]:
    for entry in entries:
        size = entry.get("size")
        size_bytes = size if isinstance(size, int) and size > 0 else None
        if entry.get("key") == wanted and entry.get("checksum"):
            yield str(entry["checksum"]), size_bytes
        elif str(entry.get("id")) == wanted and entry.get("computed_md5"):
            yield f"md5:{entry['computed_md5']}", size_bytes


def _downloadable(config: RegisteredDataset) -> SourceFile:
    """Return the first source to download; with ``verify`` the first that can be verified."""
    sources = [source for source in config.files if source.url is not None]
    usable = [source for source in sources if is_verifiable(source)] if config.verify else sources
    if usable:
        return usable[0]
    if any(source.reader == EMBEDDED_READER for source in config.files):
        raise DataError(f"dataset {config.name!r} comes with scanpy, which was not found; install scanpy and try again")
    note = f" ({config.note.rstrip('.')})" if config.note else ""
    advice = "use a file of your own with dataset=file dataset.path=..."
    if config.files:
        advice = f"put the file into {data_folder() / config.name} by hand and set dataset.verify=false"
    if sources:
        advice = f"accept {sources[0].url} as it is with dataset.verify=false, or {advice}"
    raise DataError(f"dataset {config.name!r} has no verified source{note}; {advice}")


def _obtain(
    config: RegisteredDataset,
    url: str,
    name: str,
    checksum: str | None,
    size_bytes: int | None,
    index: FileIndex,
    progress: bool,
) -> tuple[Path, str, str]:
    """Return path, sha256 and origin of one file, found or downloaded."""
    present = index.with_checksum(checksum, size_bytes, config.name) if checksum is not None else None
    if present is None and not config.verify:
        present = next(iter(index.with_name({name}, config.name)), None)
        if present is not None:
            logger.warning("%s: using %s by its name, not verified (dataset.verify=false)", config.name, present.path)
    if present is not None:
        return present.path, file_checksums(present.path).sha256, present.origin
    target = data_folder() / config.name / name
    required = checksum if config.verify else None
    from scbench.data.download import download  # with requests, which files that are here do not need

    checksums = download(url, target, required, size_bytes=size_bytes, progress=progress)
    if checksum is None or not matches(checksums, checksum):
        logger.warning("%s: %s is used as it came, not verified (dataset.verify=false)", config.name, target)
    return target, checksums.sha256, _DOWNLOAD


def _note(config: RegisteredDataset, source: SourceFile, checksum: str, size_bytes: int | None) -> None:
    """Remember a published checksum in the data folder, so that the file is recognised offline."""
    path = data_folder() / config.name / f"{stored_name(config, source)}{NOTE_SUFFIX}"
    note = {"url": source.url, "api": source.checksum_api, "checksum": checksum, "size_bytes": size_bytes}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, (json.dumps(note, indent=1) + "\n").encode())
    except OSError as error:
        logger.warning("the checksum of %s is not remembered: %s", source.url, error)
