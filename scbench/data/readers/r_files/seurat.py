"""Seurat objects (version 3 to 5): the counts of an assay, and the columns of ``meta.data`` with ``ident``.

Source: the manual of SeuratObject, classes Seurat, Assay, Assay5 and LogMap.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from scbench.data.readers.r_files.container import CannotHoldError, Container, no_matrix
from scbench.data.readers.r_files.descriptions import Descriptions, described
from scbench.data.readers.r_files.matrix import RMatrix, matrix_of, shape_of
from scbench.data.readers.r_files.node import RNode
from scbench.data.readers.r_files.vectors import names_of, plain_vector
from scbench.errors import DataError

__all__ = ["is_seurat", "read_seurat"]

_COUNTS = "counts"
_OF_RNA = "RNA"
_SLOTS = ("counts", "data", "scale.data")
_IDENT = "ident"


def is_seurat(node: RNode) -> bool:
    """Return whether a node is a Seurat object of version 3 or later."""
    return node.kind == "S4" and {"assays", "meta.data", "active.assay"} <= set(node.attributes)


def read_seurat(node: RNode, wanted: str | None, file: str, within: str = "") -> Container:
    """Return the counts of the active assay, or what ``wanted`` names: an assay, a layer of the active one, or
    ``assay/layer``.

    Where the active assay keeps no counts, as after integration, those of ``RNA`` or of the only other assay are read.

    Args:
        node: the object.
        wanted: ``dataset.matrix``.
        file: for messages.
        within: what goes before the name of an assay in ``dataset.matrix`` when a file holds several objects.

    Raises:
        CannotHoldError: if the values are not in the file, or in a class that is not read.
        DataError: if there is no such assay or layer, or no counts.
    """
    assays = {name: _layers(assay) for name, assay in node.attributes["assays"].members()}
    active = str(node.attributes["active.assay"].texts()[0])
    name, layer = _chosen(assays, active, wanted, file)
    matrix = _matrix(node.attributes["assays"].member(name), name, layer, assays[name], file)
    others = [other for other in assays if other != name]
    said = []
    if others:
        first = "ADT" if "ADT" in others else others[0]
        why = f"the active assay {active} has no counts; " if wanted is None and name != active else ""
        said.append(
            f"{file}: {why}the assay {name} ({layer}) is read; left out: {', '.join(others)} "
            f"(dataset.matrix={within}{first} reads that one)"
        )
    elif layer != _COUNTS and wanted is None:
        said.append(f"{file}: the assay {name} has no counts; {layer} is read")
    return Container(matrix, _cells(node), tuple(said))


def _cells(node: RNode) -> Descriptions:
    """Return ``meta.data`` with ``active.ident`` as ``ident``."""
    table = described(node.attributes["meta.data"], "meta.data")
    assert table is not None
    ident = node.attribute("active.ident")
    vector = None if ident is None else plain_vector(ident)
    if ident is None or vector is None or _IDENT in table.columns or vector.length != table.n_rows:
        return table
    names = names_of(ident)
    if names is not None and table.row_names is not None and not np.array_equal(names, table.row_names):
        return table
    return Descriptions(table.name, table.n_rows, {**table.columns, _IDENT: vector}, table.row_names, table.are_numbers)


def _layers(assay: RNode) -> dict[str, RNode]:
    """Return the matrices of an assay that are not empty; ``layers`` is what version 5 has in place of slots."""
    layers = assay.attribute("layers")
    listed = layers.members() if layers is not None else ((slot, assay.attribute(slot)) for slot in _SLOTS)
    return {name: item for name, item in listed if item is not None and shape_of(item) != (0, 0)}


def _chosen(assays: Mapping[str, Mapping[str, RNode]], active: str, wanted: str | None, file: str) -> tuple[str, str]:
    """Return the names of an assay and of a layer of it.

    Raises:
        DataError: if they are not there, or none has counts.
    """
    if wanted is None:
        if _COUNTS in assays.get(active, {}):
            return active, _COUNTS
        with_counts = [name for name, layers in assays.items() if _COUNTS in layers]
        if _OF_RNA in with_counts or len(with_counts) == 1:
            return (_OF_RNA if _OF_RNA in with_counts else with_counts[0]), _COUNTS
        split = [layer for layer in assays.get(active, {}) if layer.startswith(f"{_COUNTS}.")]
        if split:
            raise DataError(
                f"{file}: the assay {active} keeps its counts in {len(split)} layers ({', '.join(split[:5])}); join "
                f"them in R: x[['{active}']] <- SeuratObject::JoinLayers(x[['{active}']]); saveRDS(x, 'new.rds'), or "
                f"set dataset.matrix={active}/{split[0]} for one of them"
            )
        there = [f"{name}/{layer}" for name, layers in assays.items() for layer in layers]
        if len(there) == 1:
            name, _, layer = there[0].partition("/")
            return name, layer
        raise DataError(
            f"{file}: the active assay {active} holds no counts; there are {', '.join(there) or 'no matrices'}; set "
            "dataset.matrix to one of them"
        )
    if wanted in assays:
        layers = assays[wanted]
        return wanted, _COUNTS if _COUNTS in layers or not layers else next(iter(layers))
    name, _, layer = wanted.partition("/") if "/" in wanted else (active, "", wanted)
    if layer not in assays.get(name, {}):
        there = [*assays, *(f"{name}/{layer}" for name, layers in assays.items() for layer in layers)]
        raise no_matrix(file, wanted, there, "assay or layer")
    return name, layer


def _matrix(assay: RNode | None, name: str, layer: str, layers: Mapping[str, RNode], file: str) -> RMatrix:
    """Return a layer with the names of its rows and columns.

    Raises:
        CannotHoldError: if its class is not read.
        DataError: if the assay does not name what its layer holds.
    """
    if layer not in layers:
        raise DataError(f"{file}: the assay {name} holds no {layer}; set dataset.matrix to another assay")
    if shape_of(layers[layer]) is None:
        raise CannotHoldError(f"{layer} of the assay {name} is of class {layers[layer].class_name}")
    matrix = matrix_of(layers[layer], f"{name}/{layer}", file)
    assert assay is not None
    if assay.attribute("layers") is None:
        return matrix
    # In version 5 the layers bear no names: the assay maps the names of all its cells and genes to its layers.
    cells = _mapped(assay.attribute("cells"), layer, matrix.columns.shape[0], file)
    genes = _mapped(assay.attribute("features"), layer, matrix.columns.shape[1], file)
    return RMatrix(matrix.columns, genes, cells)


def _mapped(names: RNode | None, layer: str, length: int, file: str) -> np.ndarray:
    """Return the names that a LogMap, a logical matrix of names x layers, has for a layer.

    Raises:
        DataError: if these are not as many as the layer has.
    """
    rows = None if names is None else names_of(names, 0)
    layers = None if names is None else names_of(names, 1)
    if names is not None and rows is not None and layers is not None and layer in list(layers):
        column = list(layers).index(layer)
        is_there = np.ma.getdata(names.numbers()).reshape((-1, len(rows)))[column].astype(bool)
        if is_there.sum() == length:
            return np.asarray(rows[is_there])
    raise DataError(
        f"{file}: the names in the assay do not fit its layer {layer!r}; read and write the object again with "
        "the newest SeuratObject"
    )
