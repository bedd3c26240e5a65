"""Bioconductor's objects: SingleCellExperiment and its kin; ExpressionSet, with CellDataSet and SCESet made of it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scbench.data.readers.labels import text_names
from scbench.data.readers.r_files.container import CannotHoldError, Container, no_matrix
from scbench.data.readers.r_files.descriptions import Descriptions, described
from scbench.data.readers.r_files.matrix import RMatrix, matrix_of, shape_of
from scbench.data.readers.r_files.node import RNode
from scbench.errors import DataError

__all__ = ["is_experiment", "is_expression_set", "read_experiment", "read_expression_set"]

_COUNTS = "counts"
_EXPRESSION = "exprs"
_MATRIX = "matrix"
_DELAYED = ("DelayedArray", "DelayedMatrix")


def is_experiment(node: RNode) -> bool:
    """Return whether a node is a SummarizedExperiment or of a class made of it."""
    return node.kind == "S4" and {"assays", "colData"} <= set(node.attributes)


def is_expression_set(node: RNode) -> bool:
    """Return whether a node is an ExpressionSet or of a class made of it."""
    return node.kind == "S4" and {"assayData", "phenoData"} <= set(node.attributes)


def read_experiment(node: RNode, wanted: str | None, file: str, within: str = "") -> Container:
    """Return the assay ``wanted`` (default ``counts``, or else the only one or ``matrix``) with ``colData``.

    Raises:
        CannotHoldError: if its values are not in the file, or in a class that is not read.
        DataError: if there is no such assay, or none is the obvious one.
    """
    matrix, said = _matrix(dict(_assays(node)), wanted, (_COUNTS, _MATRIX), file)
    cells = described(node.attributes["colData"], "colData")
    assert cells is not None
    genes = matrix.row_names if (named := _gene_names(node)) is None else named
    matrix = RMatrix(matrix.columns, genes, matrix.column_names if cells.row_names is None else cells.row_names)
    inner = node.attribute("int_colData")
    others = inner.attributes["listData"].member("altExps") if inner is not None else None
    names = [name for name, _ in others.attributes["listData"].members()] if others is not None else []
    if names:
        said.append(f"{file}: alternative experiments left out: {', '.join(names)}")
    return Container(matrix, _in_order(cells, matrix), tuple(said))


def read_expression_set(node: RNode, wanted: str | None, file: str, within: str = "") -> Container:
    """Return the matrix ``wanted`` (default ``counts``, or else ``exprs``) of ``assayData`` with ``phenoData``.

    Raises:
        CannotHoldError: as :func:`read_experiment`.
        DataError: likewise.
    """
    assays = dict(node.attributes["assayData"].members())
    matrix, said = _matrix(assays, wanted, (_COUNTS, _EXPRESSION), file)
    cells = described(node.attributes["phenoData"].attributes["data"], "phenoData")
    assert cells is not None
    if matrix.column_names is None:
        matrix = RMatrix(matrix.columns, matrix.row_names, cells.row_names)
    return Container(matrix, _in_order(cells, matrix), tuple(said))


def _assays(node: RNode) -> Iterator[tuple[str, RNode]]:
    """Yield the assays; older files keep them in an environment."""
    assays = node.attributes["assays"]
    data = assays.attribute("data")
    if data is None and (inside := assays.attribute(".xData")) is not None:
        data = inside.member("data")
    listed = None if data is None else data.attribute("listData")
    yield from () if listed is None else listed.members()


def _matrix(
    assays: dict[str, RNode], wanted: str | None, usual: tuple[str, ...], file: str
) -> tuple[RMatrix, list[str]]:
    name = wanted or next((key for key in usual if key in assays), None)
    if name is None and len(assays) == 1:
        name = next(iter(assays))
    if name is None:
        raise DataError(
            f"{file} has no assay {usual[0]!r}; assays there: {', '.join(assays) or 'none'}. "
            "Set dataset.matrix to one of them"
        )
    if name not in assays:
        raise no_matrix(file, name, assays, "assay")
    assay = _in_memory(assays[name])
    if shape_of(assay) is None:
        raise CannotHoldError(f"the assay {name} is of class {assay.class_name}")
    others = [key for key in assays if key != name]
    said = []
    if wanted is None and name != _COUNTS:
        more = f"; others there: {', '.join(others)}" if others else ", the only one there"
        said.append(f"{file} has no assay 'counts'; {name!r} is read{more}")
    return matrix_of(assay, name, file), said


def _in_memory(assay: RNode) -> RNode:
    """Return what a DelayedArray on which nothing waits to be done stands for."""
    while assay.class_name in _DELAYED and (seed := assay.attribute("seed")) is not None:
        assay = seed
    return assay


def _gene_names(node: RNode) -> np.ndarray | None:
    """Return the names of the rows, wherever the class keeps them."""
    ranges = node.attribute("rowRanges")
    if ranges is None:
        named = node.attribute("NAMES")
    else:
        part = ranges.attribute("partitioning") or ranges.attribute("ranges")
        named = None if part is None else part.attribute("NAMES")
    return None if named is None else text_names(named.texts())


def _in_order(cells: Descriptions, matrix: RMatrix) -> Descriptions:
    """Return descriptions under the names of the cells: these classes keep both in one order."""
    return Descriptions(cells.name, cells.n_rows, cells.columns, matrix.column_names)
