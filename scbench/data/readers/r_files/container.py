"""What is read of an R object of a single-cell package: a matrix of genes x cells and what describes the cells."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from scbench.data.readers.r_files.descriptions import Descriptions
from scbench.data.readers.r_files.matrix import RMatrix
from scbench.errors import DataError
from scbench.names import nearest

__all__ = ["CannotHoldError", "Container", "no_matrix"]


class CannotHoldError(DataError):
    """A part of an R object is kept outside of the file, or in a class that is not read."""


@dataclass(frozen=True)
class Container:
    """Parts of an object.

    Attributes:
        matrix: its rows are genes.
        cells: what describes the columns, in their order.
        said: what was left out or chosen, one line each.
    """

    matrix: RMatrix
    cells: Descriptions
    said: tuple[str, ...] = ()


def no_matrix(file: str, wanted: str, there: Iterable[str], kind: str) -> DataError:
    """Return the error for a matrix that a file does not have.

    Args:
        file: its name.
        wanted: what was asked for.
        there: what could have been asked for.
        kind: what these are called.
    """
    names = list(there)
    close = nearest(wanted, names)
    hint = f" Did you mean {close!r}?" if close else ""
    return DataError(
        f"{file} has no {kind} {wanted!r}.{hint} There: {', '.join(names) or 'none'}. Set dataset.matrix to one of them"
    )
