"""Names of columns that describe cells and are never genes."""

from __future__ import annotations

import re
from typing import Literal

from scbench.data.readers.labels import USUAL, plain

__all__ = ["is_description", "is_gene_description", "is_name_column", "name_column_of"]

_LABELS = """
    annotation annotations category cellannotation cellline cellstate celltypeid celltypes class classes groundtruth
    ident identity origident phenotype subtype target truelabel truelabels truth type types y ytrue
"""
_CLUSTERS = """
    assignedcluster cluster clusterid clusterlabel clusterlabels clusters group groups kmeans leiden louvain
    phenograph seuratclusters
"""
_ORIGINS = """
    age agedays arraycol arrayrow batch batches batchid bmi clone cloneid condition dataset day days disease donor
    donorid donors embryo embryoid experiment fsca fscw gender hours indexsort individual isdoublet lane library
    libraryid mouse mouseid organ patient patientid patientno phase plate plateid plateno protocol region replicate
    sample sampleid samplename samples sex sexcode somite species ssca sscw stage study subject subjectid technology
    time timepoint tissue treatment tumor weight well xcoord ycoord
"""
_TOTALS = """
    depth detected doubletscore librarysize ncounts ncountrna nfeaturerna ngene ngenes ngenesbycounts numi pctcountsmt
    mappedreads nreads percentmito percentmt sizefactor sizefactors sum total totalcounts totalreads
"""
_CELL_NAMES = """
    barcode barcodes bcwells cell cellbarcode cellbarcodes cellid cellids cellindex cellname cellnames cellno cellnumber
    cells obsnames
"""
_GENE_NAMES = """
    ensembl ensemblgeneid ensemblid ensgid feature featureid features gene geneid geneids genename genenames genes
    geneshortname genesymbol genesymbols hgncsymbol mgisymbol symbol symbols varnames
"""
_NAMES_OF_EITHER = "id index level0 rn rownames unnamed unnamed:0 v1 x"
_OF_GENES = """
    biotype chr chrom chromosome description effectivelength end entrez entrezgene entrezid exoncount exoniclength gc
    gccontent genebiotype genechr genechrom genedescription geneend genelen genelength genestart genetype length mean
    ncbigene ncbigeneid ncbi start strand transcriptlength width
"""
# What Seurat, scanpy, scran and their tools call what they add to the description of cells, with parameters behind.
_MADE_BY_TOOLS = re.compile(
    r"""
    (?: n(?:Count|Feature)_\w+ | \w+_snn_res[._]\d.* | (?:leiden|louvain|phenograph)[-_. ]\w[\w.]*
      | (?:kmeans|cluster|clusters|clustering|sc3|seurat_clusters|monaco|monocle)
        [-_. ](?:res|r|k|n)?[-_. ]?\d[\d._]*(?:_clusters)?
      | walktrap\w* | (?:S|G2M)[._]Score | old[._]ident | (?:percent|pct|prop|frac|fraction)[._]\w+ | pct_counts_.+
      | (?:log1p_)?total_counts(?:_.+)? | (?:log1p_)?n_(?:genes|counts|umis?)(?:_.+)?
      | log(?:1p|10|2)_.+ | res[._]\d[\d.]*
      | \w+_(?:frac|fraction|pct|percent|ratio)
      | (?:doublet|scrublet|DoubletFinder)[._ ]?\w* | solo[._]\w+ | scDblFinder[._]\w+ | DF\.classifications_.*
      | pANN_.*      | predicted[._](?:doublet|id|celltype)\w* | prediction[._]score.* | size[._]?factors?
      | (?:subsets|altexps)_\w+_(?:sum|detected|percent)
      | (?:X_)?(?:umap|t-?SNE)[-_. ]?\d{1,3}(?:_\w+)? | (?:X_)?(?:PCA?|LSI|ICA?|DC|harmony)_\d{1,3}(?:_\w+)?
      | (?:dpt_|monocle_|slingshot_)?pseudotime(?:_\d+)? | velocity_\w+ | latent_time | root_cells | end_points
      | (?:cell[-_. ]?type|cell[-_. ]?ontology|cell[-_. ]?line|cluster|label|annotation|type|class)s?[-_. ]*
        (?:codes?|num|number|int|idx|index|ids?|encoded|factor|level\d*|l\d|coarse|fine|major|minor|final)
      | (?:cell[-_. ]?type|cluster|label|annotation)s?[_. ]?\d+
      | (?:batch|donor|sample|patient|plate|subject|condition)(?:es|s)?[-_. ]*
        (?:codes?|num|number|int|idx|index|encoded) )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_CELL_WORDS = frozenset(_CELL_NAMES.split())
_GENE_WORDS = frozenset(f"{_GENE_NAMES} {_OF_GENES}".split())
_NAME_COLUMNS = frozenset(f"{_CELL_NAMES} {_GENE_NAMES} {_NAMES_OF_EITHER}".split())
_DESCRIPTIONS = _NAME_COLUMNS.union(USUAL, *(words.split() for words in (_LABELS, _CLUSTERS, _ORIGINS, _TOTALS)))


def is_description(column: str) -> bool:
    """Tell whether a column is a label, a cluster, an origin, a total or a name of cells rather than a gene.

    Only whole names count, compared without case, ``_``, ``.``, ``-`` and spaces, and the patterns after which Seurat,
    scanpy and scran name what they add (``nCount_SCT``, ``leiden_res_1.0``, ``UMAP_1``). No symbol of a human or mouse
    gene is among them. ``y`` is one, although a gene of the fly is called so: a label that passes for a gene does
    more harm than a gene left out, and what is left out is named to the user.
    """
    return plain(column) in _DESCRIPTIONS or _MADE_BY_TOOLS.fullmatch(column.strip()) is not None


def is_gene_description(column: str) -> bool:
    """Tell whether a column names or describes genes."""
    return plain(column) in _GENE_WORDS


def is_name_column(column: str) -> bool:
    """Tell whether a first column of this name gives the names of the rows, even where these are numbers."""
    return column == "" or plain(column) in _NAME_COLUMNS


def name_column_of(column: str) -> Literal["cells", "genes"] | None:
    """Return whose names a column of this name holds; None where its name does not tell."""
    name = plain(column)
    return "cells" if name in _CELL_WORDS else "genes" if name in _GENE_WORDS else None
