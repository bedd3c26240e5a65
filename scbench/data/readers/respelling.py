"""Other spellings of the same cell names, as tools make them: Seurat drops ``-1``, R writes ``.`` for ``-``, and so on.

A re-spelling counts only where it pairs each cell with one row of its own, for all cells or for all rows: that many
names do not agree by chance.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from scbench.errors import DataError

__all__ = ["Respelled", "nearest_spelling", "respelled"]

_MOST_AFFIXES = 50  # that are looked at for one name
_COMPETES = 0.5  # of the names that another affix finds as well
_BARCODE = re.compile(r"[ACGTN]{8,}")
_WHOLE = re.compile(r"(\d+)\.0")
_INVALID_IN_R = re.compile(r"[^\w.]")
_VALID_START_IN_R = re.compile(r"[^\W\d_]|\.(?!\d)")


@dataclass(frozen=True)
class Respelled:
    """Rows found by a re-spelling.

    Attributes:
        rows: (n_cells,) int64, -1 for a cell without a row.
        how: what was done, as the end of a sentence.
    """

    rows: np.ndarray
    how: str


def respelled(cells: np.ndarray, rows: np.ndarray, file: str) -> Respelled | None:
    """Return the row of each cell by the mildest re-spelling that is one to one, or None.

    Tried in this order: blanks and quotes around names; R's spelling (``make.names``: ``.`` for other marks, ``X``
    before a digit); text before or behind the names of one side; different text before or behind them on both sides.

    Args:
        cells: (n_cells,) str.
        rows: (n_rows,) str.
        file: for messages.

    Raises:
        DataError: when two ways of cutting names both fit all cells, so that it cannot be told which is right.
    """
    for clean, how in _CLEANINGS:
        found = _joined(_cleaned(cells, clean), _cleaned(rows, clean))
        if found is not None:
            return Respelled(found, how)
    for find in (_by_affix, _by_both_affixes):
        for clean, how in _CLEANINGS:
            ways = dict(find(_cleaned(cells, clean), _cleaned(rows, clean)))
            if len({found.tobytes() for found in ways.values()}) > 1:
                raise DataError(
                    f"the names in {file} fit the cells in {len(ways)} ways ({' or '.join(list(ways)[:2])}); give "
                    "them as the matrix has them, or pass dataset.label_order=file when its rows are in the order of "
                    "the cells"
                )
            for said, found in ways.items():
                if (found < 0).all():
                    break
                return Respelled(found, said if clean is _trimmed else f"{said}, {how}")
    return None


def nearest_spelling(cells: np.ndarray, rows: np.ndarray) -> tuple[str, int]:
    """Return the re-spelling that finds most cells, for a message, and how many it finds."""
    best = ("", 0)
    for clean, how in _CLEANINGS:
        ours, theirs = _cleaned(cells, clean), _cleaned(rows, clean)
        best = max(best, (how, len(set(ours) & set(theirs))), key=lambda pair: pair[1])
        for longer, shorter, whose in ((theirs, ours, "the file"), (ours, theirs, "the matrix")):
            known = set(shorter)
            for before, behind in _affixes(longer, shorter):
                n_found = sum(_without(name, before, behind) in known for name in longer)
                best = max(best, (f"without {_shown(before, behind)} of {whose}", n_found), key=lambda pair: pair[1])
    return best


def _trimmed(name: str) -> str:
    bare = name.strip().strip("'\"\ufeff").strip()
    whole = _WHOLE.fullmatch(bare)
    return whole[1] if whole else bare


def _as_r_writes(name: str) -> str:
    """Return what R's ``make.names`` makes of a name, without its care for doubled and reserved ones."""
    marked = _INVALID_IN_R.sub(".", _trimmed(name))
    return marked if _VALID_START_IN_R.match(marked) else f"X{marked}"


_CLEANINGS: tuple[tuple[Callable[[str], str], str], ...] = (
    (_trimmed, "without blanks and quotes around them"),
    (_as_r_writes, "in R's spelling (. for other marks)"),
)


def _cleaned(names: np.ndarray, clean: Callable[[str], str]) -> list[str]:
    return [clean(name) for name in names]


def _joined(ours: Sequence[str], theirs: Sequence[str]) -> np.ndarray | None:
    """Return the row of each cell where names are equal, if that is one to one for all cells or all rows."""
    place = {name: i for i, name in enumerate(theirs)}
    rows = np.array([place.get(name, -1) for name in ours], dtype=np.int64)
    found = rows[rows >= 0]
    is_one_to_one = len(found) == len(np.unique(found)) and len(place) == len(theirs)
    return rows if is_one_to_one and len(found) in (len(ours), len(theirs)) and len(found) else None


def _by_affix(ours: Sequence[str], theirs: Sequence[str]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield what text is taken off the names of one side, and the rows found, for each way in which names are equal."""
    for longer, shorter, whose in ((theirs, ours, "the file"), (ours, theirs, "the matrix")):
        known = set(shorter)
        for before, behind in _affixes(longer, shorter):
            # Names of other samples in the same file do not have this text and match nothing.
            cut = [_without(name, before, behind) or f"\0{i}" for i, name in enumerate(longer)]
            found = _joined(ours, cut) if longer is theirs else _joined(cut, theirs)
            if found is None and sum(name in known for name in cut) > _COMPETES * len(shorter):
                found = np.full(len(ours), -1)  # wells A1, A2, ... are there on every plate
            if found is not None:
                yield f"without {_shown(before, behind)} of {whose}", found


def _by_both_affixes(ours: Sequence[str], theirs: Sequence[str]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield what all names of each side begin and end with, and the rows found, when the rest is equal.

    Only barcodes are rest enough: cell 7 or well A7 of one sample is not that of another.
    """
    both = [_common(names) for names in (ours, theirs)]
    if not all(before or behind for before, behind in both):
        return
    cut_ours, cut_theirs = (
        [name[len(before) : len(name) - len(behind)] for name in names]
        for names, (before, behind) in zip((ours, theirs), both, strict=True)
    )
    if all(_BARCODE.search(name) for name in (*cut_ours, *cut_theirs)):
        found = _joined(cut_ours, cut_theirs)
        if found is not None:
            of_cells, of_rows = (_shown(before, behind) for before, behind in both)
            yield f"without {of_cells} of the matrix and {of_rows} of the file", found


def _affixes(longer: Sequence[str], shorter: Sequence[str]) -> list[tuple[str, str]]:
    """Return what may stand before and behind the names of ``shorter`` in ``longer``, told from some of either."""
    found: dict[tuple[str, str], None] = {}
    for inner in dict.fromkeys(shorter[i] for i in (0, len(shorter) // 2, -1) if shorter):
        for name in longer:
            found |= _around(inner, name)
    known = set(shorter)
    for name in longer[:1]:
        for start in range(len(name)):
            for end in range(start + 1, len(name) + 1):
                if name[start:end] in known:
                    found |= _around(name[start:end], name)
    return [affix for affix in found if affix != ("", "")][:_MOST_AFFIXES]


def _around(inner: str, name: str) -> dict[tuple[str, str], None]:
    if not inner or inner not in name:
        return {}
    before, _, behind = name.partition(inner)
    return {(before, behind): None}


def _without(name: str, before: str, behind: str) -> str | None:
    fits = name.startswith(before) and name.endswith(behind) and len(name) > len(before) + len(behind)
    return name[len(before) : len(name) - len(behind)] if fits else None


def _common(names: Sequence[str]) -> tuple[str, str]:
    """Return what all names begin and end with."""
    before = _common_start(names)
    return before, _common_start([name[len(before) :][::-1] for name in names])[::-1]


def _common_start(names: Sequence[str]) -> str:
    """Return what all names begin with; that of the first and the last in order is that of all."""
    first, last = min(names, default=""), max(names, default="")
    n_same = next((i for i, pair in enumerate(zip(first, last, strict=False)) if len(set(pair)) > 1), None)
    return first if n_same is None else first[:n_same]


def _shown(before: str, behind: str) -> str:
    return " and ".join(repr(text) for text in (before, behind) if text)
