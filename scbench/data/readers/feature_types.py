"""Which features are genes: exports with antibodies, guides, hashtags or peaks name a type for each feature."""

from __future__ import annotations

from collections import Counter

import numpy as np

from scbench.errors import DataError

__all__ = ["gene_features"]

_EXPRESSION = frozenset({"geneexpression", "gex", "gene", "genes", "rna", "mrna"})
_OTHERS = """
    abseq adt antibodies antibody antibodycapture antigencapture atac cmo crisprguidecapture custom guide guides hashtag
    hashtags hto multiplexing multiplexingcapture peak peaks protein proteins sgrna tag tags vdj vdjb vdjt
"""
_NO_GENES = frozenset(_OTHERS.split())
_NO_TYPE = frozenset({"", "na", "nan", "none", "null", "."})


def gene_features(types: np.ndarray, file: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return which features are genes, and one line on those that are not.

    Types are compared without regard to case, blanks, ``_`` and ``-``. Beside gene expression, a feature of any other
    type is no gene; a feature without a type is one. Where no type is gene expression, only features of a type that is
    known to be none are no genes: a column of other words (chromosomes, genomes) leaves all in.

    Args:
        types: (n_features,) object array of str, ``""`` for a feature without a type.
        file: its name, for messages.

    Returns:
        (n_features,) bool, and no line or one.

    Raises:
        DataError: if all features are of types that are known to be no genes.
    """
    known = {spelled: _plain(spelled) for spelled in set(types)}
    has_expression = any(word in _EXPRESSION for word in known.values())
    left_out = {
        spelled
        for spelled, word in known.items()
        if word in _NO_GENES or (has_expression and word not in _EXPRESSION and word not in _NO_TYPE)
    }
    if not left_out:
        return np.ones(len(types), dtype=bool), ()
    is_gene = np.array([spelled not in left_out for spelled in types])
    found = _counted(types[~is_gene])
    if not is_gene.any():
        raise DataError(
            f"{file} holds no gene expression; found {found}. Give the matrix of the genes, or take these types out of "
            "the file to cluster by them"
        )
    n_out = int((~is_gene).sum())
    what = "feature that is no gene is" if n_out == 1 else "features that are no genes are"
    return is_gene, (f"{file}: {n_out} {what} left out: {found}",)


def _plain(spelled: str) -> str:
    return "".join(spelled.lower().replace("_", " ").replace("-", " ").split())


def _counted(types: np.ndarray) -> str:
    """Return ``7 Antibody Capture, 3 Peaks``, most first; spellings of one type count together."""
    shown: dict[str, str] = {}
    for spelled in types:
        shown.setdefault(_plain(spelled), spelled)
    counts = Counter(_plain(spelled) for spelled in types)
    return ", ".join(f"{number} {shown[word]}" for word, number in counts.most_common())
