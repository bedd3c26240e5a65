"""Where data files are stored and looked for."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

__all__ = [
    "DATA_FOLDER",
    "DATA_PATH",
    "SearchFile",
    "cache_folder",
    "data_folder",
    "search_files",
    "search_folders",
]

logger = logging.getLogger(__name__)

DATA_FOLDER = "data folder"
DATA_PATH = "data path"
_UNFINISHED = (".part", ".lock")


@dataclass(frozen=True, slots=True)
class SearchFile:
    """A regular file in a search folder.

    Attributes:
        path: the file.
        size_bytes: its length.
        folder: name of the sub-folder that holds it; None directly in the search folder.
        origin: ``data folder`` or ``data path``.
    """

    path: Path
    size_bytes: int
    folder: str | None
    origin: str


def data_folder() -> Path:
    """Return the folder that downloads go to: ``$SCBENCH_DATA``, or ``scbench/data`` in the user's cache."""
    return _folder_from("SCBENCH_DATA", "data")


def cache_folder() -> Path:
    """Return the folder of derived files: ``$SCBENCH_CACHE``, or ``scbench/prepared`` in the user's cache."""
    return _folder_from("SCBENCH_CACHE", "prepared")


def search_folders() -> list[Path]:
    """Return the data folder, whether it exists or not, and each existing folder of ``$SCBENCH_DATA_PATH``.

    The folders in the variable are separated as in ``$PATH``. One that does not exist is a logged warning.
    """
    folders = [data_folder()]
    known = {os.path.realpath(folders[0])}
    for entry in os.environ.get("SCBENCH_DATA_PATH", "").split(os.pathsep):
        if not entry.strip():
            continue
        folder = Path(entry).expanduser()
        if not folder.is_dir():
            logger.warning("SCBENCH_DATA_PATH lists %s, which is not a folder; correct or remove it", folder)
        elif os.path.realpath(folder) not in known:
            known.add(os.path.realpath(folder))
            folders.append(folder)
    return folders


def search_files() -> list[SearchFile]:
    """Return the regular files of the search folders and of their sub-folders, one level deep.

    The order is fixed. Hidden files and unfinished downloads are left out; a folder that cannot be read is a
    logged warning.
    """
    found: list[SearchFile] = []
    for position, root in enumerate(search_folders()):
        origin = DATA_PATH if position else DATA_FOLDER
        files, folders = _listing(root)
        found += [SearchFile(path, size, None, origin) for path, size in files]
        for folder in folders:
            found += [SearchFile(path, size, folder.name, origin) for path, size in _listing(folder)[0]]
    return found


def _folder_from(variable: str, default: str) -> Path:
    value = os.environ.get(variable, "").strip()
    return Path(value).expanduser() if value else platformdirs.user_cache_path("scbench", False) / default


def _listing(folder: Path) -> tuple[list[tuple[Path, int]], list[Path]]:
    """Return the files with their sizes and the sub-folders of ``folder``, hidden ones left out."""
    files: list[tuple[Path, int]] = []
    folders: list[Path] = []
    try:
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.name.startswith(".") or entry.name.endswith(_UNFINISHED):
                    continue
                if entry.is_dir():
                    folders.append(Path(entry.path))
                elif entry.is_file():
                    files.append((Path(entry.path), entry.stat().st_size))
    except FileNotFoundError:
        logger.debug("%s does not exist", folder)
    except OSError as error:
        logger.warning("cannot look for data files in %s: %s", folder, error.strerror or error)
    return files, folders
