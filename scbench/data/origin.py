"""Where a dataset's content comes from, and the checksum that stands for it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scbench.data.checksum import file_checksums
from scbench.data.config import DatasetConfig, FileDataset, RegisteredDataset, SimulatedDataset, SourceFile
from scbench.data.fetch import fetch
from scbench.data.file_name import file_name
from scbench.data.readers import code_of, read, reader_for
from scbench.data.readers.matrix_market.files import find_files
from scbench.errors import ConfigError, DataError

if TYPE_CHECKING:
    from scbench.data.labelled import LabelledCounts

__all__ = ["Origin", "find_origin"]


@dataclass(frozen=True)
class Origin:
    """Content that has not been read yet.

    Attributes:
        name: of the dataset, in tables and in the store.
        sha256: of the bytes of its file (with its label file), or of the parameters of a simulation.
        source: address or name of the file.
        preprocessing: how the bytes become counts and labels.
        load: reads the content.
        cached_by: what a parsed copy depends on besides bytes, handling and our own code.
    """

    name: str
    sha256: str
    source: str
    preprocessing: dict[str, Any]
    load: Callable[[], LabelledCounts]
    cached_by: tuple[str, ...] = ()


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

    def load() -> LabelledCounts:
        from scbench.data.corrupt import corrupted

        return corrupted(origin.load(), damage)

    return replace(
        origin,
        name=origin.name + damage.suffix,
        preprocessing=origin.preprocessing | {"corrupt": asdict(damage)},
        load=load,
    )


def _whole(config: DatasetConfig, *, progress: bool) -> Origin:
    """Return the origin of a dataset before any damage."""
    handling = {
        "values": config.values,
        "rounding": config.rounding,
        "label": config.label,
        "unlabelled": config.unlabelled,
    }
    # What came later is named only where it is asked for, so that the keys of earlier runs stay what they were.
    handling |= _asked(config, spike_ins="keep", empty_cells="keep")
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

    def load() -> LabelledCounts:
        from scbench.data.simulate import simulate

        return simulate(config)

    return Origin(config.name, digest.hexdigest(), "simulated", handling | parameters, load)


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
    source = SourceFile(
        reader=reader,
        member=config.member,
        matrix=config.matrix,
        modality=config.modality,
        orientation=config.orientation,
        label_order=config.label_order,
    )
    handling |= {"reader": reader, "member": config.member, "matrix": config.matrix}
    handling |= _asked(config, modality=None, orientation=None, label_order="names")
    name = config.name if config.name != "file" else file_name(path)
    return Origin(
        name=name,
        sha256=_joined(_path_sha256(path, reader), None if label_path is None else _path_sha256(label_path)),
        source=path.name,
        preprocessing=handling,
        load=lambda: read(path, source, label=config.label, label_path=label_path),
        # Messages name the files, and the code of another package is not ours.
        cached_by=(path.name, "" if label_path is None else label_path.name, code_of(reader)),
    )


def _asked(config: DatasetConfig, **defaults: str | None) -> dict[str, Any]:
    """Return the settings that differ from these defaults."""
    values = {name: getattr(config, name) for name in defaults}
    return {name: value for name, value in values.items() if value != defaults[name]}


def _path_sha256(path: Path, reader: str = "") -> str:
    """Return the sha256 of a file, or of the names and contents of the files of an export or a store that are read.

    Raises:
        DataError: when the path cannot be read.
    """
    try:
        if reader == "mtx_10x":
            files = {member.name: member for member in find_files(path).members}
        elif path.is_file():
            return file_checksums(path).sha256
        elif not path.is_dir():
            raise DataError(f"{path} is no regular file; give a file, or the folder of an export or a store")
        else:
            files = {str(file.relative_to(path)): file for file in sorted(path.rglob("*")) if file.is_file()}
        lines = [f"{name} {file_checksums(file).sha256}\n" for name, file in files.items()]
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror or error}); check its permissions") from error
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _joined(data: str, labels: str | None) -> str:
    """Return one sha256 for a data file and its label file."""
    return data if labels is None else hashlib.sha256(f"{data} {labels}".encode()).hexdigest()
