"""Names of columns that describe cells and are never genes."""

from __future__ import annotations

from scbench.data.readers.labels import USUAL, plain

__all__ = ["is_description", "is_name_column"]

_LABELS = """
    annotation annotations category cellannotation cellline cellstate celltypeid celltypes class classes groundtruth
    ident identity origident phenotype subtype target truelabel truelabels truth type types y ytrue
"""
_CLUSTERS = """
    assignedcluster cluster clusterid clusterlabel clusterlabels clusters group groups kmeans leiden louvain
    phenograph seuratclusters
"""
_ORIGINS = """
    age batch batches batchid condition dataset disease donor donorid donors experiment gender individual library
    libraryid organ patient patientid phase plate plateid protocol region replicate sample sampleid samplename
    samples sex species stage study subject subjectid technology timepoint tissue treatment well
"""
_TOTALS = """
    doubletscore librarysize ncounts ncountrna nfeaturerna ngene ngenes ngenesbycounts numi pctcountsmt percentmito
    percentmt sizefactor sizefactors totalcounts
"""
_NAMES = """
    barcode barcodes cell cellid cellids cellname cellnames cells gene geneid geneids genename genenames genes index
    obsnames unnamed:0
"""
_NAME_COLUMNS = frozenset(_NAMES.split())
_DESCRIPTIONS = _NAME_COLUMNS.union(USUAL, *(words.split() for words in (_LABELS, _CLUSTERS, _ORIGINS, _TOTALS)))


def is_description(column: str) -> bool:
    """Tell whether a column is a label, a cluster, an origin, a total or a name of cells rather than a gene.

    Only whole names count, compared without case, ``_``, ``.``, ``-`` and spaces. No symbol of a human or mouse
    gene is among them. ``y`` is one, although a gene of the fly is called so: a label that passes for a gene does
    more harm than a gene left out, and what is left out is named to the user.
    """
    return plain(column) in _DESCRIPTIONS


def is_name_column(column: str) -> bool:
    """Tell whether a first column of this name gives the names of the rows, even where these are numbers."""
    return column == "" or plain(column) in _NAME_COLUMNS
