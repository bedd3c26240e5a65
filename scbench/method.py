"""The contract that a method fulfils: what it is given, what it returns, and nothing that knows a label.

This module is read at start-up for the configuration of every method, so it imports no array library.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from scbench.fields import check_fields, fill_from_variant
from scbench.names import check_choice

if TYPE_CHECKING:
    import numpy as np
    import torch
    from scipy.sparse import csr_matrix

    from scbench.inputs import InputCache

__all__ = [
    "Clustering",
    "Counts",
    "Diverged",
    "EmbeddingMethod",
    "FittedMethod",
    "Method",
    "MethodConfig",
    "Pruned",
    "RunContext",
    "TransferMethod",
    "check_n_clusters",
]


@dataclass(frozen=True)
class Counts:
    """All that a method may see of a dataset.

    Attributes:
        matrix: (n_cells, n_genes) float32 CSR; raw counts, or log-normalised values when ``is_counts`` is False.
        genes: (n_genes,) names, or None when the file has none.
        is_counts: whether ``matrix`` holds raw counts.
    """

    matrix: csr_matrix
    genes: np.ndarray | None = None
    is_counts: bool = True


@dataclass(frozen=True)
class Clustering:
    """What a method returns.

    Attributes:
        labels: (n_cells,) int64, one for every input cell in input order, none negative.
        embedding: (n_cells, d) float32 or None.
        soft: (n_cells, n_clusters) memberships whose rows sum to 1, or None.
        info: what was decided on the way: epochs run, stop reason, K found, approximations on.
    """

    labels: np.ndarray
    embedding: np.ndarray | None = None
    soft: np.ndarray | None = None
    info: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Return three lines without arrays, see :func:`scbench.clustering_text.clustering_text`."""
        from scbench.clustering_text import clustering_text

        return clustering_text(self)


class Diverged(RuntimeError):  # noqa: N818 - the name is part of the contract
    """A loss became NaN or infinite.

    Args:
        epoch: the epoch in which it was seen, counted from 0.
        terms: the value of each loss term at that moment.
    """

    def __init__(self, epoch: int, terms: Mapping[str, float]) -> None:
        self.epoch = epoch
        self.terms = dict(terms)
        shown = ", ".join(f"{name} = {value:g}" for name, value in self.terms.items())
        super().__init__(f"loss is not finite at epoch {epoch}: {shown}")

    def __reduce__(self) -> tuple[type[Diverged], tuple[int, dict[str, float]]]:
        """Let the exception cross a process boundary."""
        return type(self), (self.epoch, self.terms)


class Pruned(RuntimeError):  # noqa: N818 - the name is part of the contract
    """Raised by ``RunContext.report`` when a search gives a trial up."""


def _ignore(*_: object, **__: object) -> None:
    """Drop what a run reports when nobody listens."""


class RunContext:
    """What the worker gives a method besides the counts: randomness, a device, and places to report to.

    All randomness of a method comes from ``rng`` (numpy), ``generator`` (torch) or ``seed`` (libraries that take
    an integer); all three follow from the run's seed. Torch is imported only when ``device`` or ``generator`` is
    asked for, so a method without torch never pays for it.

    Args:
        seed: the run's seed, >= 0.
        device: a torch device string such as ``"cpu"`` or ``"cuda:0"``.
        cache: serves inputs that do not depend on the seed (see ``scbench.inputs``); None computes them afresh.
        on_log, on_snapshot, on_report: listeners; by default nothing listens.
        snapshots: whether the protocol asks for snapshots. A method looks at it before it computes labels only
            for a snapshot.
    """

    def __init__(
        self,
        seed: int,
        device: str = "cpu",
        *,
        cache: InputCache | None = None,
        on_log: Callable[[int, dict[str, float]], None] = _ignore,
        on_snapshot: Callable[[int, np.ndarray], None] = _ignore,
        on_report: Callable[[int, np.ndarray], None] = _ignore,
        snapshots: bool = False,
    ) -> None:
        if seed < 0:
            raise ValueError(f"seed must be at least 0, got {seed}")
        self.seed = seed
        self.cache = cache
        self.snapshots = snapshots
        self._device_name = device
        self._on_log = on_log
        self._on_snapshot = on_snapshot
        self._on_report = on_report

    @cached_property
    def device(self) -> torch.device:
        """The device to compute on."""
        import torch

        return torch.device(self._device_name)

    @cached_property
    def rng(self) -> np.random.Generator:
        """The numpy generator of this run."""
        import numpy as np

        return np.random.default_rng(self.seed)

    @cached_property
    def generator(self) -> torch.Generator:
        """The torch generator of this run; it lives on the CPU, so draws are the same on every device."""
        import torch

        return torch.Generator(device="cpu").manual_seed(self.seed)

    def log(self, epoch: int, **values: float) -> None:
        """Record values of one epoch (losses, learning rate); they go to ``history.csv``."""
        self._on_log(int(epoch), {name: float(value) for name, value in values.items()})

    def snapshot(self, epoch: int, labels: np.ndarray) -> None:
        """Keep the labels of one epoch; they are scored only after the run has ended."""
        if self.snapshots:
            self._on_snapshot(int(epoch), labels)

    def report(self, step: int, embedding_or_labels: np.ndarray) -> None:
        """Report label-free progress to a search.

        Raises:
            Pruned: when the search gives this trial up.
        """
        self._on_report(int(step), embedding_or_labels)


@runtime_checkable
class Method(Protocol):
    """A clustering method. It is constructed with its configuration and used for one fit."""

    def fit_predict(self, counts: Counts, n_clusters: int, run: RunContext) -> Clustering:
        """Cluster the cells of ``counts`` into ``n_clusters`` groups.

        Raises:
            ValueError: when ``n_clusters`` is below 1 or above the number of cells.
            Diverged: when a loss is not finite.
        """
        ...


class FittedMethod(Protocol):
    """A method after its fit: the clusters of the cells that it was fitted to, and those it gives to others."""

    @property
    def clustering(self) -> Clustering:
        """The clusters of the fitted cells."""
        ...

    def predict(self, counts: Counts) -> Clustering:
        """Return the clusters of other cells; changes nothing of what was learnt."""
        ...


@runtime_checkable
class TransferMethod(Protocol):
    """A method that can place cells which it was not fitted to."""

    def fit(self, counts: Counts, n_clusters: int, run: RunContext) -> FittedMethod:
        """Learn from ``counts``; raises what ``fit_predict`` raises."""
        ...


@runtime_checkable
class EmbeddingMethod(Protocol):
    """A method that can cluster points of an embedding that exists; its configuration says ``CLUSTERS_EMBEDDINGS``."""

    def cluster_embedding(self, points: np.ndarray, n_clusters: int, run: RunContext) -> Clustering:
        """Cluster (n_cells, d) float32 points; the embedding of the result is None."""
        ...


def check_n_clusters(n_clusters: int, n_cells: int) -> None:
    """Refuse a number of clusters that ``n_cells`` cells cannot have.

    Raises:
        ValueError: when ``n_clusters`` is below 1 or above ``n_cells``.
    """
    if n_clusters < 1:
        raise ValueError(f"n_clusters must be at least 1, got {n_clusters}")
    if n_clusters > n_cells:
        raise ValueError(f"n_clusters is {n_clusters} but there are only {n_cells} cells; ask for at most {n_cells}")


@dataclass(frozen=True)
class MethodConfig:
    """Base of every method's configuration; the defaults of a method live in its own subclass and nowhere else.

    A subclass is a frozen dataclass; every field is part of a run's key, so what cannot change a result (file
    names, verbosity) is not a field. Fields are declared with ``scbench.fields`` and, for names that methods share,
    ``scbench.vocabulary``: their types and ranges are checked here, and ``--help`` shows what they mean.

    Attributes:
        name: the method's name, given by its YAML.
        variant: one of ``VARIANTS``; ``paper_code`` is the released program's behaviour where a method defines it.
    """

    VARIANTS: ClassVar[tuple[str, ...]] = ("default",)
    USES_TORCH: ClassVar[bool] = True  # False: runs on the CPU and imports no torch
    NEEDS_COUNTS: ClassVar[bool] = False  # True: refuses log-normalised values
    RESPECTS_K: ClassVar[bool] = True  # False: may find another number of clusters than it was asked for
    CLUSTERS_EMBEDDINGS: ClassVar[bool] = False  # True: the method is an EmbeddingMethod

    name: str = "???"
    variant: str = "default"

    def __post_init__(self) -> None:
        """Fill in what follows from the variant, so that a record shows what was used, and check declared fields."""
        check_choice(f"variant of method {self.name}", self.variant, self.VARIANTS)
        fill_from_variant(self)
        check_fields(self)

    def check_given(self, given: Collection[str]) -> None:
        """Refuse fields that contradict each other, where it takes to know which of them the user has given.

        Args:
            given: names of the fields that the command, or the call in Python, sets to a value; the values are here.

        Raises:
            ConfigError: when two of them cannot both be meant.
        """
