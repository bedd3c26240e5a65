"""The configuration group ``dataset``: a registered dataset, a user's file, or simulated counts."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import ClassVar

from scbench.errors import ConfigError
from scbench.names import check_choice

__all__ = [
    "Corruption",
    "DatasetConfig",
    "FileDataset",
    "RegisteredDataset",
    "SimulatedDataset",
    "SourceFile",
    "Subsample",
]

VALUES = ("counts", "log_normalised", "linear")
ROUNDING = ("none", "round", "ceil")
UNLABELLED = ("error", "drop")
SPIKE_INS = ("keep", "drop")
EMPTY_CELLS = ("keep", "drop")
ORIENTATIONS = ("cells_by_genes", "genes_by_cells")
LABEL_ORDERS = ("names", "file")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LARGEST_SEPARATION = 10.0  # fold changes of e^10; far above, counts are no longer finite


@dataclass(frozen=True)
class SourceFile:
    """One file that a dataset accepts, with the reader it needs.

    Attributes:
        reader: name of the reader in ``scbench.data.readers``.
        url: where it can be fetched, pinned to a commit where the host has commits; None for a file that exists
            only as a converted copy.
        checksum: ``git:<sha1 of the git blob>``, ``sha256:<...>`` or ``md5:<...>``; None when none is on record.
        checksum_api: JSON address at which the host publishes size and md5.
        size_bytes: size of the file where it is known.
        member: file to take from a zip archive.
        matrix: name of the matrix inside a container with several (``raw`` or a layer of an h5ad, R lists).
        label: column, list element or dataset that holds the labels; for ``rda_labelled_columns`` the regular
            expression that takes the label from the column names.
        orientation: ``cells_by_genes`` or ``genes_by_cells``: what the file does not say itself; None lets the reader
            tell it from names and lengths.
        label_order: ``names`` pairs the rows of a label file with cells by their names, ``file`` by their order.
        modality: of an h5mu file; None takes ``rna``.
        label_url, label_checksum: a second file that holds the labels.
        note: what this file is, when it is not the original.
    """

    reader: str = "???"
    url: str | None = None
    checksum: str | None = None
    checksum_api: str | None = None
    size_bytes: int | None = None
    member: str | None = None
    matrix: str | None = None
    label: str | None = None
    orientation: str | None = None
    label_order: str = "names"
    modality: str | None = None
    label_url: str | None = None
    label_checksum: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class Corruption:
    """Damage done to a dataset on purpose, to see what a method bears.

    Attributes:
        dropout: share of the non-zero entries that become 0, in [0, 1).
        seed: of the choice of entries; the runs of a command share it.
    """

    dropout: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Check ranges."""
        if not 0 <= self.dropout < 1:
            raise ConfigError(f"dataset.corrupt.dropout must be in [0, 1), got {self.dropout}")
        if self.seed < 0:
            raise ConfigError(f"dataset.corrupt.seed must be at least 0, got {self.seed}")

    @property
    def suffix(self) -> str:
        """Return what the name of a damaged dataset ends in, so that its runs are never pooled with others."""
        if self.dropout == 0:
            return ""
        return f"-dropout{100 * self.dropout:g}" + (f"-s{self.seed}" if self.seed else "")


@dataclass(frozen=True)
class Subsample:
    """A random part of the cells of a dataset; see ``scbench.data.subsample``.

    Attributes:
        share: of the cells that are kept, in (0, 1]; 1 keeps all.
        seed: of the choice of cells; the runs of a command share it.
    """

    share: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Check ranges."""
        if not 0 < self.share <= 1:
            raise ConfigError(f"dataset.subsample.share must be in (0, 1], got {self.share}")
        if self.seed < 0:
            raise ConfigError(f"dataset.subsample.seed must be at least 0, got {self.seed}")

    @property
    def suffix(self) -> str:
        """Return what the name of a subsample ends in, so that its runs are never pooled with others."""
        if self.share == 1:
            return ""
        return f"-subsample{100 * self.share:g}" + (f"-s{self.seed}" if self.seed else "")


@dataclass(frozen=True)
class DatasetConfig:
    """What every dataset has.

    Attributes:
        name: name of the dataset; also its folder in the store.
        title: what a reader of a table should see.
        values: ``counts`` (non-negative whole numbers), ``log_normalised`` (used as they are), or ``linear``
            (RPKM, FPKM, TPM and the like; the loader takes ln(1 + x) and methods see them as log-normalised).
        rounding: how non-integer counts become integers: ``none`` (an error), ``round`` or ``ceil``.
        label: column that holds the labels, in place of the file's usual one; ``none`` reads no labels.
        unlabelled: what to do with cells without a label: ``error``, or ``drop`` them before anything else.
        spike_ins: whether the ERCC spike-ins among the genes are kept (``keep``) or left out (``drop``).
        empty_cells: whether cells without a count are kept (``keep``) or left out (``drop``).
        cells, genes, types: the numbers to expect; a difference is a warning with both numbers.
        corrupt: damage done on purpose; none by default.
        subsample: the part of the (damaged) cells that runs are given; all by default.
    """

    name: str = "???"
    title: str = ""
    values: str = "counts"
    rounding: str = "none"
    label: str | None = None
    unlabelled: str = "error"
    spike_ins: str = "keep"
    empty_cells: str = "keep"
    cells: int | None = None
    genes: int | None = None
    types: int | None = None
    corrupt: Corruption = field(default_factory=Corruption)
    subsample: Subsample = field(default_factory=Subsample)

    def __post_init__(self) -> None:
        """Check the name, which becomes a folder of the store, and the closed choices."""
        if self.name != "???" and not _NAME.fullmatch(self.name):
            raise ConfigError(
                "dataset.name must be letters, digits, '.', '_' or '-', and start with a letter or digit, "
                f"got {self.name!r}"
            )
        check_choice("dataset.values", self.values, VALUES)
        check_choice("dataset.rounding", self.rounding, ROUNDING)
        check_choice("dataset.unlabelled", self.unlabelled, UNLABELLED)
        check_choice("dataset.spike_ins", self.spike_ins, SPIKE_INS)
        check_choice("dataset.empty_cells", self.empty_cells, EMPTY_CELLS)


@dataclass(frozen=True)
class RegisteredDataset(DatasetConfig):
    """A dataset of the registry, one YAML each.

    Attributes:
        files: the accepted files; the first is the one to download, the others are converted copies.
        mirrors: other public places that list the same file.
        papers: which of the papers use it; empty when none of the four does.
        verify: whether an unverified file is refused.
        licence, note: terms as far as known; what to know before use.
    """

    organism: str = ""
    tissue: str = ""
    platform: str = ""
    accession: str = ""
    papers: list[str] = field(default_factory=list)
    files: list[SourceFile] = field(default_factory=list)
    mirrors: list[str] = field(default_factory=list)
    verify: bool = True
    licence: str = "not stated"
    note: str = ""


@dataclass(frozen=True)
class FileDataset(DatasetConfig):
    """A user's own file.

    Attributes:
        path: the file or folder.
        reader: its format; None takes it from the file's name and content.
        member: file to take from a zip archive.
        matrix: name of the matrix in a file with several: ``raw`` or a layer of an h5ad, a layer of a loom.
        modality: of an h5mu file; None takes ``rna``.
        orientation: ``cells_by_genes`` or ``genes_by_cells``; None tells it from names and lengths.
        label_path: a second file that holds the labels.
        label_order: ``names`` pairs the labels of a second file with cells by their names, ``file`` by their order.
    """

    path: str = "???"
    reader: str | None = None
    member: str | None = None
    matrix: str | None = None
    modality: str | None = None
    orientation: str | None = None
    label_path: str | None = None
    label_order: str = "names"

    def __post_init__(self) -> None:
        """Check the closed choices."""
        super().__post_init__()
        if self.orientation is not None:
            check_choice("dataset.orientation", self.orientation, ORIENTATIONS)
        check_choice("dataset.label_order", self.label_order, LABEL_ORDERS)
        if self.label_order == "file" and self.label_path is None:
            raise ConfigError("dataset.label_order=file is about a second file; give it as dataset.label_path=...")


@dataclass(frozen=True)
class SimulatedDataset(DatasetConfig):
    """Simulated counts; see ``scbench.data.simulate``.

    Attributes:
        n_cells, n_genes, n_types: sizes.
        separation: standard deviation of the natural-log fold change of a type's marker genes, > 0.
        dropout: probability that a count is lost on top of the sampling noise, in [0, 1).
        imbalance: ratio between the largest and the smallest type, >= 1 (1 = equal sizes).
        seed: seed of the simulation itself; the runs of a command share it.
    """

    SIZE_FIELDS: ClassVar[tuple[str, ...]] = ("n_cells", "n_genes", "n_types")

    n_cells: int = 2000
    n_genes: int = 2000
    n_types: int = 8
    separation: float = 1.0
    dropout: float = 0.1
    imbalance: float = 5.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Check sizes and ranges."""
        super().__post_init__()
        for size in self.SIZE_FIELDS:
            if getattr(self, size) < 1:
                raise ConfigError(f"dataset.{size} must be at least 1, got {getattr(self, size)}")
        if self.n_types > self.n_cells:
            raise ConfigError(
                f"dataset.n_types is {self.n_types} but there are only {self.n_cells} cells; ask for fewer types"
            )
        if not 0 < self.separation <= _LARGEST_SEPARATION:
            raise ConfigError(
                f"dataset.separation must be above 0 and at most {_LARGEST_SEPARATION:g}, got {self.separation}"
            )
        if not 0 <= self.dropout < 1:
            raise ConfigError(f"dataset.dropout must be in [0, 1), got {self.dropout}")
        if not (self.imbalance >= 1 and math.isfinite(self.imbalance)):
            raise ConfigError(f"dataset.imbalance must be at least 1, got {self.imbalance}")
        if self.seed < 0:
            raise ConfigError(f"dataset.seed must be at least 0, got {self.seed}")
