"""The files among which data are looked for, each hashed at most once."""

from __future__ import annotations

import json
import logging
from functools import cached_property
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from scbench.data.checksum import Checksums, file_checksums, matches, split_checksum
from scbench.data.folders import SearchFile, search_files
from scbench.data.registry import dataset_names
from scbench.errors import DataError

__all__ = ["NOTE_SUFFIX", "FileIndex", "url_filename"]

logger = logging.getLogger(__name__)

NOTE_SUFFIX = ".checksum.json"  # beside a download whose checksum came from the host's API


class FileIndex:
    """The files of the search folders as they are now; each is hashed at most once."""

    def __init__(self) -> None:
        everything = search_files()
        self.files = [file for file in everything if not file.path.name.endswith(NOTE_SUFFIX)]
        self._notes = [file.path for file in everything if file.path.name.endswith(NOTE_SUFFIX)]
        self._checksums: dict[Path, Checksums | None] = {}

    def checksums(self, path: Path) -> Checksums | None:
        """Return the checksums of ``path``, or None, with a logged warning, when it cannot be read."""
        if path not in self._checksums:
            try:
                self._checksums[path] = file_checksums(path)
            except (OSError, DataError) as error:
                logger.warning("cannot use %s: %s", path, error)
                self._checksums[path] = None
        return self._checksums[path]

    def with_checksum(self, checksum: str, size_bytes: int | None, dataset: str) -> SearchFile | None:
        """Return the first file that has ``checksum``.

        Only files of ``size_bytes`` are read when it is known, those in a folder named ``dataset`` first.
        """
        for file in sorted(self.files, key=lambda file: file.folder != dataset):
            if size_bytes is None or file.size_bytes == size_bytes:
                checksums = self.checksums(file.path)
                if checksums is not None and matches(checksums, checksum):
                    return file
        return None

    def with_name(self, names: set[str], dataset: str) -> list[SearchFile]:
        """Return the files with one of ``names``, best first.

        Files in a sub-folder named after ``dataset`` come first. Those in a sub-folder of another dataset are
        left out: 17 registered files are called ``data.h5``.
        """
        found = [
            file
            for file in self.files
            if file.path.name in names and (file.folder == dataset or file.folder not in self._dataset_names)
        ]
        return sorted(found, key=lambda file: file.folder != dataset)

    @cached_property
    def published(self) -> dict[str, tuple[str, int | None]]:
        """Checksum and size by url, as the hosts' APIs gave them at download."""
        noted: dict[str, tuple[str, int | None]] = {}
        for path in self._notes:
            try:
                note = json.loads(path.read_text("utf-8"))
                split_checksum(note["checksum"])
                noted[note["url"]] = (note["checksum"], note["size_bytes"])
            except (OSError, ValueError, TypeError, KeyError, AttributeError):
                logger.warning("%s is damaged and ignored; delete it", path)
        return noted

    @cached_property
    def _dataset_names(self) -> set[str]:
        return set(dataset_names())


def url_filename(url: str) -> str:
    """Return the last part of the path of ``url``, unquoted and without query; it may be empty."""
    return PurePosixPath(unquote(urlsplit(url).path)).name
