"""The words by which the files beside a matrix say what they hold: names of genes, or of cells."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

__all__ = ["CELL_WORDS", "GENE_WORDS", "Word", "stem_of", "tokens", "words_in"]

Word = tuple[str, ...]
"""A word of a file name, or several in a row."""


def _words(text: str) -> tuple[Word, ...]:
    return tuple(tuple(word.split("_")) for word in text.split())


GENE_WORDS = _words(
    "features genes all_genes feature gene gene_names genenames gene_ids geneids var_names quants_mat_cols mtx_rows"
)
"""Best first. The columns of alevin's matrix are genes, and the rows of the Expression Atlas'."""

CELL_WORDS = _words(
    "barcodes cells cell_metadata barcode cell_names cellnames cell_ids cellids cell_barcodes obs_names "
    "quants_mat_rows mtx_cols"
)

_SUFFIX = re.compile(r"\.(mtx|tsv|txt|csv)$")
_NAMES_SUFFIX = re.compile(r"(\.(tsv|txt|csv)|\.mtx_(rows|cols))(\.gz)?$")
_SPLIT = re.compile(r"[^a-z0-9]+")
_GLUED = re.compile(r"(?<=[a-z0-9])(matrix|features|genes|barcodes)(?![a-z0-9])")  # donor1genes.tsv


def stem_of(file: Path) -> str:
    """Return a file's name in small letters without ``.gz`` and the suffix of its format."""
    return _SUFFIX.sub("", file.name.lower().removesuffix(".gz"))


def tokens(file: Path) -> Word:
    """Return the words of a file's name: ``GSM1_matrix_S1.mtx.gz`` is ``gsm1``, ``matrix``, ``s1``."""
    return tuple(word for word in _SPLIT.split(_GLUED.sub(r"_\1", stem_of(file))) if word)


def words_in(file: Path, words: Sequence[Word]) -> Iterator[tuple[Word, Word, Word]]:
    """Yield each of ``words`` in the name of a text file, with the words of the name before and behind it."""
    if _NAMES_SUFFIX.search(file.name.lower()) is None:
        return
    named = tokens(file)
    for word in words:
        for start in range(len(named) - len(word) + 1):
            if named[start : start + len(word)] == word:
                yield word, named[:start], named[start + len(word) :]
