"""The files beside a record that comes from elsewhere: each has to be what the record says, before it is believed."""

from __future__ import annotations

import csv
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from scbench.store.archive.record import DamagedArchiveError, is_restored
from scbench.store.array_header import HEAD_BYTES, ArrayHeader, array_header
from scbench.store.cell_labels import CELL_LABELS, what_is_wrong_with
from scbench.store.record_text import shown

__all__ = ["FILES", "check_files", "check_head"]

FILES = {"labels": "labels.npy", "history": "history.csv", "snapshots": "snapshots.npz", "embedding": "embedding.npy",
         "soft": "soft.npy", "cells": CELL_LABELS}  # fmt: skip
_KINDS = {"labels.npy": ("iu", 1), "embedding.npy": ("f", 2), "soft.npy": ("f", 2)}  # dtypes, dimensions
_AT_ONCE = 1 << 22  # values looked at together
_LONGEST_LINE = 1 << 16
_LARGEST_EPOCH = 2**53


def check_head(place: str, name: str, head: bytes, size: int) -> None:
    """Check the beginning of a file before the rest of it is taken; only arrays have one that says something.

    Args:
        place: folder of the run, for messages.
        name: of the file.
        head: its first bytes.
        size: of the whole file.

    Raises:
        DamagedArchiveError: it is no array of plain numbers, of another type, or not whole.
    """
    if name in _KINDS:
        _checked_header(f"{place}/{name}", head, size, *_KINDS[name])


def check_files(
    place: str,
    folder: Path,
    record: Mapping[str, Any],
    spend: Callable[[int], None],
    names: Collection[str] = tuple(FILES.values()),
) -> None:
    """Check the files of a run against its record.

    Args:
        place: folder of the run, for messages.
        folder: where they lie.
        record: a whole one.
        spend: is told of bytes before they are taken out of a compressed file.
        names: files to look at, of those that are there.

    Raises:
        DamagedArchiveError: a file is not what the record says, or labels are missing; the message names the file.
    """
    there = {name for name in names if (folder / name).is_file()}
    for name, (kinds, n_dimensions) in _KINDS.items():
        if name not in there:
            continue
        path = folder / name
        with path.open("rb") as file:
            header = _checked_header(f"{place}/{name}", file.read(HEAD_BYTES), path.stat().st_size, kinds, n_dimensions)
        if header.shape[0] != record["n_cells"]:
            raise DamagedArchiveError(
                f"{place}/{name} has {header.shape[0]} rows; expected {record['n_cells']}, the run's n_cells"
            )
        _check_values(f"{place}/{name}", np.load(path, mmap_mode="r", allow_pickle=False), record)
    if record["status"] == "ok" and FILES["labels"] not in there and not is_restored(dict(record)):
        raise DamagedArchiveError(f"{place} has no labels.npy, and its record has status ok")
    if FILES["cells"] in there:
        _check_cells(place, folder)
    if FILES["snapshots"] in there:
        _check_snapshots(f"{place}/{FILES['snapshots']}", folder / FILES["snapshots"], record["n_cells"], spend)
    if FILES["history"] in there:
        _check_history(f"{place}/{FILES['history']}", folder / FILES["history"])


def _checked_header(file: str, head: bytes, size: int, kinds: str, n_dimensions: int) -> ArrayHeader:
    """Return the header of an array that has this kind of values and as many as it announces."""
    try:
        header = array_header(head[:HEAD_BYTES])
    except ValueError as error:
        raise DamagedArchiveError(f"{file} {error}") from None
    if header.dtype.kind not in kinds or len(header.shape) != n_dimensions:
        wanted = "whole numbers" if "i" in kinds else "floats"
        raise DamagedArchiveError(
            f"{file} holds {header.dtype} of shape {header.shape}; expected {wanted} in {n_dimensions} dimension"
            f"{'s' if n_dimensions > 1 else ''}"
        )
    if header.n_bytes != size:
        raise DamagedArchiveError(f"{file} has {size} bytes; its header announces {header.n_bytes}")
    return header


def _check_values(file: str, values: np.ndarray, record: Mapping[str, Any]) -> None:
    """Check labels against the number of clusters, and other values for being finite, some at a time."""
    step = max(1, _AT_ONCE // max(1, values[:1].size))
    pieces: Iterator[np.ndarray] = (values[at : at + step] for at in range(0, len(values), step))
    if values.ndim > 1:
        if not all(np.isfinite(piece).all() for piece in pieces):
            raise DamagedArchiveError(f"{file} holds values that are not finite")
        return
    found = np.empty(0, dtype=values.dtype)
    for piece in pieces:
        found = np.union1d(found, piece)
    if len(found) and found[0] < 0:
        raise DamagedArchiveError(f"{file} holds the label {found[0]}; expected none below 0")
    if record["status"] == "ok" and len(found) != record["n_clusters_found"]:
        raise DamagedArchiveError(
            f"{file} holds {len(found)} clusters, and n_clusters_found in record.json is {record['n_clusters_found']}"
        )


def _check_cells(place: str, folder: Path) -> None:
    """Check that the names of cells stand beside the labels of the run, which have been checked."""
    if not (folder / FILES["labels"]).is_file():
        raise DamagedArchiveError(f"{place}/{FILES['cells']} is there without {FILES['labels']}")
    labels = np.load(folder / FILES["labels"], mmap_mode="r", allow_pickle=False)
    if wrong := what_is_wrong_with(folder / FILES["cells"], labels):
        raise DamagedArchiveError(f"{place}/{FILES['cells']} {wrong}")


def _check_snapshots(file: str, path: Path, n_cells: int, spend: Callable[[int], None]) -> None:
    """Check that there are as many rows of labels as epochs, one label for each cell."""
    try:
        with zipfile.ZipFile(path) as stored:
            members = {one.filename: one for one in stored.infolist()}
            if len(stored.infolist()) != 2 or set(members) != {"epochs.npy", "labels.npy"}:
                raise DamagedArchiveError(f"{file} holds {shown(sorted(members))}; expected epochs.npy and labels.npy")
            shapes = []
            for name, n_dimensions in (("epochs.npy", 1), ("labels.npy", 2)):
                spend(members[name].file_size)
                with stored.open(members[name]) as content:
                    shapes.append(_checked_member(f"{file}, {name}", content, members[name].file_size, n_dimensions))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise DamagedArchiveError(f"{file} cannot be read ({error})") from None
    (n_epochs,), labels = shapes
    if labels != (n_epochs, n_cells):
        raise DamagedArchiveError(
            f"{file} holds labels of shape {labels}; expected {(n_epochs, n_cells)}, one for each epoch and cell"
        )


def _checked_member(file: str, content: IO[bytes], size: int, n_dimensions: int) -> tuple[int, ...]:
    """Return the shape of an array of whole numbers, none below 0, in a zip file; its checksum is looked at too."""
    head = content.read(HEAD_BYTES)
    header = _checked_header(file, head, size, "iu", n_dimensions)
    rest = head[header.start :]
    width = header.dtype.itemsize
    while rest:
        whole = len(rest) // width * width
        values = np.frombuffer(rest[:whole], header.dtype)
        if n_dimensions > 1 and len(values) and values.min() < 0:
            raise DamagedArchiveError(f"{file} holds the label {values.min()}; expected none below 0")
        read = content.read(_AT_ONCE)
        rest = rest[whole:] + read if read else b""
    return header.shape


def _check_history(file: str, path: Path) -> None:
    """Check that there is a header with ``epoch`` and that each line has as many values, the epoch a number."""
    try:
        with path.open(encoding="utf-8", newline="") as content:
            rows = csv.reader(_lines(content))
            columns = next(rows, [])
            if columns.count("epoch") != 1:
                raise DamagedArchiveError(f"{file} has the columns {shown(columns)}; expected epoch among them, once")
            place = columns.index("epoch")
            for number, row in enumerate(rows, start=2):
                if len(row) != len(columns):
                    raise DamagedArchiveError(f"{file}, row {number}: {len(row)} values; expected {len(columns)}")
                if not -_LARGEST_EPOCH < _number(row[place]) < _LARGEST_EPOCH:
                    raise DamagedArchiveError(f"{file}, row {number}: epoch is {shown(row[place])}; expected a number")
    except (ValueError, csv.Error) as error:
        raise DamagedArchiveError(f"{file} cannot be read ({error})") from None


def _lines(content: IO[str]) -> Iterator[str]:
    """Yield the lines of a text."""
    while line := content.readline(_LONGEST_LINE):
        if len(line) == _LONGEST_LINE:
            raise ValueError(f"a line has more than {_LONGEST_LINE} characters")
        yield line


def _number(text: str) -> float:
    """Return a text as a number; NaN when it is none."""
    try:
        return float(text)
    except ValueError:
        return float("nan")
