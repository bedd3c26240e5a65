"""What the dataset in a user's file is called in tables and in the store."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

__all__ = ["file_name"]

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
# What programs call their output whatever the sample: the folder above says which one it is.
_GIVEN_TO_ALL = """
    alevin ambiguous analysis cells_x_genes count count_matrix counts counts_filtered counts_unfiltered dge dge_filtered
    dge_unfiltered filtered filtered_feature_bc_matrix filtered_gene_bc_matrices filtered_gene_bc_matrices_h5
    filtered_gene_bc_matrix gene genefull genefull_ex50pas grch37 grch38 hg19 hg38 matrix mm10 mm39 outs per_sample_outs
    quants_mat raw raw_feature_bc_matrix raw_gene_bc_matrices raw_gene_bc_matrices_h5 raw_gene_bc_matrix
    sample_filtered_feature_bc_matrix sample_raw_feature_bc_matrix solo spliced umi_count uniqueandmult-em
    uniqueandmult-propunique uniqueandmult-rescue uniqueandmult-uniform unspliced velocyto
"""
_OF_ANY_SAMPLE = frozenset(_GIVEN_TO_ALL.split())


def file_name(path: Path) -> str:
    """Return a name of letters, digits, ``.``, ``_`` and ``-`` for a file or folder.

    The name before the first dot; behind that of the nearest folder with a name of its own where programs give it to
    every sample: ``a/outs/filtered_feature_bc_matrix`` is ``a-filtered_feature_bc_matrix``.
    """
    stem = path.name.split(".")[0]
    if stem.lower() not in _OF_ANY_SAMPLE:
        return _safe(stem)
    folders = (folder.name for folder in path.absolute().parents)
    sample = next((name for name in folders if name and name.split(".")[0].lower() not in _OF_ANY_SAMPLE), None)
    return _safe(stem) if sample is None else f"{_safe(sample)}-{_safe(stem)}"


def _safe(text: str) -> str:
    """Return a text without the letters that names of datasets cannot have; one with no others gets a number."""
    safe = _UNSAFE.sub("_", text).lstrip("._-")
    return safe if re.search(r"[A-Za-z0-9]", safe) else f"file-{hashlib.sha1(text.encode()).hexdigest()[:6]}"
