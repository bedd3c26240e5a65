"""Where a dataset's content comes from, and the checksum that stands for it."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from scbench.data.checksum import file_checksums
from scbench.data.config import DatasetConfig, FileDataset, RegisteredDataset, SimulatedDataset, SourceFile
from scbench.data.corrupt import corrupted
from scbench.data.fetch import fetch
from scbench.data.labelled import LabelledCounts
from scbench.data.readers import read, reader_for
from scbench.data.simulate import simulate
from scbench.errors import ConfigError, DataError

__all__ = ["Origin", "find_origin"]

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_TENX = re.compile(r"(matrix\.mtx|features\.tsv|genes\.tsv|barcodes\.tsv)(\.gz)?$")


@dataclass(frozen=True)
class Origin:
    """Content that has not been read yet.

    Attributes:
        name: of the dataset, in tables and in the store.
        sha256: of the bytes of its file (with its label file), or of the parameters of a simulation.
        source: address or name of the file.
        preprocessing: how the bytes become counts and labels.
        load: reads the content.
    """

    name: str
    sha256: str
    source: str
    preprocessing: dict[str, Any]
    load: Callable[[], LabelledCounts]


def find_origin(config: DatasetConfig, *, progress: bool = True) -> Origin:
    """Return where the content of a configuration comes from, fetching the file when it is not there.

    Raises:
        DataError: the file is missing, cannot be read, or is not verified.
        ConfigError: the configuration does not name a dataset.
    """
    origin = _whole(config, progress=progress)
    damage = config.corrupt
    if damage.dropout == 0:
        return origin
    return replace(
        origin,
        name=origin.name + damage.suffix,
        preprocessing=origin.preprocessing | {"corrupt": asdict(damage)},
        load=lambda: corrupted(origin.load(), damage),
    )


def _whole(config: DatasetConfig, *, progress: bool) -> Origin:
    """Return the origin of a dataset before any damage."""
    handling = {
        "values": config.values,
        "rounding": config.rounding,
        "label": config.label,
        "unlabelled": config.unlabelled,
    }
    if isinstance(config, SimulatedDataset):
        return _simulated(config, handling)
    if isinstance(config, FileDataset):
        return _user_file(config, handling)
    if not isinstance(config, RegisteredDataset):
        raise ConfigError(f"dataset {config.name!r} is of no known kind; use a registered name, file or simulated")
    located = fetch(config, progress=progress)
    source, label_path = located.source, located.label_path
    handling |= {"reader": source.reader, "member": source.member, "matrix": source.matrix}
    return Origin(
        name=config.name,
        sha256=_joined(located.sha256, located.label_sha256),
        source=source.url or located.path.name,
        preprocessing=handling,
        load=lambda: read(located.path, source, label=config.label, label_path=label_path),
    )


def _simulated(config: SimulatedDataset, handling: dict[str, Any]) -> Origin:
    """Return a simulation; its parameters and the generator's code stand for its bytes."""
    parameters = {
        name: getattr(config, name)
        for name in ("n_cells", "n_genes", "n_types", "separation", "dropout", "imbalance", "seed")
    }
    digest = hashlib.sha256(json.dumps(parameters, sort_keys=True).encode())
    digest.update((Path(__file__).parent / "simulate.py").read_bytes())
    return Origin(config.name, digest.hexdigest(), "simulated", handling | parameters, lambda: simulate(config))


def _user_file(config: FileDataset, handling: dict[str, Any]) -> Origin:
    """Return a user's own file."""
    path = Path(config.path).expanduser()
    label_path = None if config.label_path is None else Path(config.label_path).expanduser()
    for given, key in ((path, "path"), (label_path, "label_path")):
        if given is not None and not given.exists():
            raise DataError(
                f"dataset.{key}={given} does not exist; check the path (the current folder is {Path.cwd()})"
            )
        if given is not None and not os.access(given, os.R_OK):
            raise DataError(f"dataset.{key}={given} cannot be read; check its permissions")
    reader = config.reader or reader_for(path)
    source = SourceFile(reader=reader, member=config.member, matrix=config.matrix)
    handling |= {"reader": reader, "member": config.member, "matrix": config.matrix}
    name = config.name if config.name != "file" else _UNSAFE.sub("_", path.name.split(".")[0]) or "file"
    return Origin(
        name=name,
        sha256=_joined(_path_sha256(path, reader), None if label_path is None else _path_sha256(label_path)),
        source=path.name,
        preprocessing=handling,
        load=lambda: read(path, source, label=config.label, label_path=label_path),
    )


def _path_sha256(path: Path, reader: str = "") -> str:
    """Return the sha256 of a file, or of the names and contents of the files that make up a 10x export.

    Raises:
        DataError: when the path is neither a file nor a 10x export, or cannot be read.
    """
    try:
        if reader != "mtx_10x":
            if not path.is_file():
                raise DataError(f"{path} is no regular file; give a file, or the folder of a 10x export")
            return file_checksums(path).sha256
        folder = path if path.is_dir() else path.parent
        members = sorted(entry for entry in folder.iterdir() if entry.is_file() and _TENX.search(entry.name))
        lines = [f"{member.name} {file_checksums(member).sha256}\n" for member in members]
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror or error}); check its permissions") from error
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _joined(data: str, labels: str | None) -> str:
    """Return one sha256 for a data file and its label file."""
    return data if labels is None else hashlib.sha256(f"{data} {labels}".encode()).hexdigest()
