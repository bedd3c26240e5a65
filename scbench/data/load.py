"""Open a dataset: find or fetch its file, read and check it once, and serve it from the cache ever after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from scbench.data.config import DatasetConfig, FileDataset, SimulatedDataset, Subsample
from scbench.data.dataset import Dataset
from scbench.data.origin import Origin, find_origin
from scbench.data.parsed_copy import Content, cached, parse
from scbench.errors import DataError

# What reads and checks a file is imported when one is read: a parsed copy needs nothing of scipy.
if TYPE_CHECKING:
    from scbench.data.validate import CheckedCounts

__all__ = ["Dataset", "Unread", "open_dataset", "read_into_cache"]


@dataclass(frozen=True)
class Unread:
    """A file whose parsed copy is not in the cache: what another process is told to put it there.

    Attributes:
        config: the dataset's.
        name: of the dataset.
        source: address or name of the file.
        root: of the cache; the one who asks holds the lock of ``key`` there.
        key: the copy's name in the cache.
    """

    config: DatasetConfig
    name: str
    source: str
    root: Path
    key: str


def open_dataset(
    config: DatasetConfig, *, progress: bool = True, elsewhere: Callable[[Unread], None] | None = None
) -> Dataset:
    """Return the dataset of a configuration, fetching and parsing it when that has not been done yet.

    Args:
        config: of the dataset.
        progress: whether to show the bar of a download.
        elsewhere: has another process call :func:`read_into_cache`, when a file has to be read; None: it is read here.

    Raises:
        DataError: the file is missing, damaged, unverified, or not what the methods can work on.
        ConfigError: the configuration does not name a dataset.
    """
    if config.subsample.share < 1:
        whole = open_dataset(replace(config, subsample=Subsample()), progress=progress, elsewhere=elsewhere)
        return cached(_part_of(whole, config.subsample))
    content = _content(config, progress=progress)
    if elsewhere is not None and not isinstance(config, SimulatedDataset):
        unread = partial(Unread, config, content.name, content.source)
        content = replace(content, reads_elsewhere=lambda root: elsewhere(unread(root, content.key)))
    return cached(content)


def read_into_cache(unread: Unread) -> None:
    """Read a file and put its parsed copy into the cache, whose lock is held by the process that asks for it.

    Raises:
        DataError: as :func:`open_dataset`, and when the file has changed since it was asked for.
    """
    content = _content(unread.config, progress=False)
    if content.key != unread.key:
        raise DataError(f"{unread.source} has changed while it was opened; run again when it is complete")
    parse(unread.root, content)


def _content(config: DatasetConfig, *, progress: bool) -> Content:
    """Return the content of a whole dataset, which has been fetched and not been read."""
    origin = find_origin(config, progress=progress)
    return Content(
        origin.name,
        origin.sha256,
        origin.source,
        origin.preprocessing,
        lambda: _checked(origin, config),
        (config.cells, config.genes, config.types, *origin.cached_by),
    )


def _checked(origin: Origin, config: DatasetConfig) -> CheckedCounts:
    """Read and check the content of a file."""
    from scbench.data.validate import check_content, mismatches

    config = replace(config, name=origin.name)  # messages name the file, not "file"
    checked = check_content(origin.load(), config)
    cells = checked.cells if isinstance(config, FileDataset) else None  # of public sets nobody takes labels home
    return replace(checked, cells=cells, warnings=(*checked.warnings, *mismatches(checked, config)))


def _part_of(whole: Dataset, choice: Subsample) -> Content:
    """Return a subsample, taken from the parsed copy of the whole: the file is read once for all of them."""
    from scbench.data.subsample import Part, subsampled
    from scbench.data.validate import CheckedCounts

    def read() -> CheckedCounts:
        counts = whole.counts()
        checked = CheckedCounts(
            counts.matrix,
            whole.labels(),
            counts.genes,
            whole.is_counts,
            whole.warnings,
            whole.labels_from,
            whole.cells(),
            whole.n_in_file,
        )
        return subsampled(checked, choice, whole.name)

    return Content(
        whole.name + choice.suffix,
        whole.sha256,
        whole.source,
        whole.preprocessing | {"subsample": asdict(choice)},
        read,
        (whole.folder.name,),
        Part(whole.name, whole.n_cells, whole.n_types, choice),
    )
