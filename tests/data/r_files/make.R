# Makes the R files of this folder: Rscript make.R <folder>. Needs Matrix, tibble, Seurat 4, SingleCellExperiment,
# DelayedArray and Biobase. Classes of packages that are not at hand (Seurat 5, monocle, BPCells) are set up here with the
# slots that their manuals give.
suppressPackageStartupMessages({
  library(Matrix)
  library(Seurat)
  library(SingleCellExperiment)
  library(DelayedArray)
  library(Biobase)
})
options(keep.source = FALSE)
out <- commandArgs(TRUE)[1]
at <- function(name) file.path(out, name)

genes <- c("ACTB", "CD3D", "MT-CO1", "GNLY")
cells <- c("AAACCTGA-1", "AAACGGGA-1", "AAAGATGC-1", "AAATGCCC-1", "AACCATGA-1")
m <- matrix(c(0, 2, 0, 1, 0, 0, 3, 0, 0, 4, 0, 5, 7, 0, 0, 0, 1, 1, 0, 9), 4, dimnames = list(genes, cells))
int <- m
storage.mode(int) <- "integer"
sparse <- as(m, "CsparseMatrix")
types <- c("T", "B", "T", "NK", "B")
moved <- c(4, 2, 5, 1, 3)

# Matrices alone
saveRDS(sparse, at("sparse.rds"))
saveRDS(int, at("integer.rds"), compress = "bzip2")
with_na <- int
with_na[2, 3] <- NA
saveRDS(with_na, at("integer_na.rds"), compress = "xz")
saveRDS(unname(m), at("nameless.rds"), version = 2)
saveRDS(as.data.frame(m), at("frame.rds"))
saveRDS(tibble::as_tibble(m, rownames = "gene"), at("tibble.rds"))
saveRDS(cbind(as.data.frame(m), chromosome = 1:4, strand = "+"), at("described_frame.rds"))
saveRDS(data.frame(t(m), cell_type = types, batch = 1:5, check.names = FALSE), at("cells_frame.rds"))
doubled <- as.data.frame(m)
names(doubled)[2] <- cells[1]
rows_twice <- m
rownames(rows_twice) <- genes[c(1, 1, 2, 3)]
triplets <- as(sparse, "TsparseMatrix")
triplets@i <- c(triplets@i, 0L)
triplets@j <- c(triplets@j, 0L)
triplets@x <- c(triplets@x, 6)
halved <- sparse
halved@x <- halved@x / 2
no_names <- sparse
dimnames(no_names) <- NULL
big <- m
big[1, 1] <- 2^40
by_rows <- as(sparse, "RsparseMatrix")
logical <- as(sparse, "lMatrix")
pattern <- as(sparse, "nMatrix")
dense <- as(m, "unpackedMatrix")
pattern_triplets <- as(pattern, "TsparseMatrix")
symmetric <- forceSymmetric(sparse[, 1:4])
long <- bit64::as.integer64(c(1, NA, 3, 4))
wide <- data.frame(a = long, b = c(1, 2, 3, 4))
save(
  triplets, doubled, rows_twice, halved, no_names, big, by_rows, logical, pattern, pattern_triplets, dense, symmetric, wide,
  file = at("matrices.rda"), compress = "xz"
)

# One matrix and every kind of labels
integer <- c(1L, NA, 2L, 1L, 2L)
double <- c(1, NA, 2.5, 1, NaN)
logic <- c(TRUE, NA, FALSE, TRUE, FALSE)
words <- c("T", NA, " T", "NK", "")
factors <- factor(c("T", NA, "T", "NK", "B"))
numbered <- factor(c("10", "20", "10", NA, "20"))
listed <- list("T", "B", NA, "NK", NULL)
named <- setNames(types, cells)[moved]
named_factor <- factor(named)
foreign <- setNames(types, paste0("other", 1:5))
runs <- Rle(factor(types[c(1, 1, 2, 2, 2)]))
two <- cbind(type = types, batch = c("x", "x", "y", "y", "y"))[moved, ]
rownames(two) <- cells[moved]
one <- data.frame(kind = types, row.names = cells)[moved, , drop = FALSE]
lacking <- data.frame(kind_of_some = types, row.names = cells)[1:3, , drop = FALSE]
bioc <- DataFrame(kind_of_bioc = Rle(types[moved]), nested = I(DataFrame(a = 1:5)), row.names = cells[moved])
some_tibble <- tibble::tibble(barcode = cells[moved], kind_of_tibble = types[moved])
moved_rows <- data.frame(kind_of_moved = types)[moved, , drop = FALSE]
kept_rows <- data.frame(kind_of_kept = c("x", types))[-1, , drop = FALSE]
latin <- c("\xe9", "B", "\xe9", "NK", "B")
Encoding(latin) <- "latin1"
save(
  m, integer, double, logic, words, factors, numbered, listed, named, named_factor, foreign, runs, two, one, lacking, bioc,
  some_tibble, moved_rows, kept_rows, latin, file = at("labels.rda"), compress = "xz"
)
nameless <- unname(m)
save(nameless, moved_rows, named, file = at("nameless.rda"))

# The field's own layouts
ann <- data.frame(cell_type1 = types, row.names = cells)[moved, , drop = FALSE]
yan <- as.data.frame(m)
save(ann, yan, file = at("sc3.rda"))
rownames(ann) <- paste0("other", 1:5)
save(ann, yan, file = at("sc3_foreign.rda"))
saveRDS(list(data = m, label = types), at("list.rds"))
L <- list(data = m, label = named)
save(L, file = at("list.rda"))
coldata <- data.frame(Condition = types, n = 1:5, row.names = cells)[moved, ]
save(coldata, file = at("coldata.rda"))
saveRDS(coldata, at("coldata.rds"))
writeLines(c("cell,Condition", paste(cells, types, sep = ",")[moved]), at("coldata.csv"))

# Several objects
counts <- m
normal <- m / 2
meta <- data.frame(cell_type = factor(types), n_counts = colSums(m), row.names = cells)[moved, ]
helper <- function(x) x + 1
gene_info <- data.frame(symbol = genes, length = c(9, 8, 7, 6), row.names = genes)
save(m, meta, gene_info, helper, cells, file = at("several.RData"), version = 2)
save(counts, normal, meta, file = at("counts_and_more.RData"))
save(m, normal, meta, file = at("ambiguous.RData"), ascii = TRUE)
clusters <- data.frame(cell_type = types, row.names = cells)
save(m, meta, clusters, file = at("two_columns.RData"))
turned <- t(m)
save(turned, named, file = at("turned.RData"))
saveRDS(turned, at("turned.rds"))
saveRDS(list(a = list(data = m, label = types), b = list(data = 2 * m, label = rev(types))), at("nested.rds"))
numbers <- as.data.frame(m)
cell_info <- data.frame(n = colSums(m), size = colSums(m) * 2, row.names = cells)
save(numbers, cell_info, file = at("two_frames.RData"))
save(helper, types, file = at("no_matrix.RData"))
saveRDS(as.raw(1:3), at("raw.rds"))
keep <- new.env()
keep$data <- m
keep$label <- types
saveRDS(keep, at("environment.rds"))

# Seurat 4
seurat <- function(counts) suppressWarnings(CreateSeuratObject(counts, project = "test"))
x <- seurat(sparse)
x$cell_type <- factor(types)
x$stage <- c(1L, NA, 2L, 2L, 1L)
Idents(x) <- c("zero", "one", "zero", "one", "two")
x[["ADT"]] <- CreateAssayObject(sparse[1:2, ] * 2)
x[["HTO"]] <- CreateAssayObject(sparse[2:3, ] * 3)
x <- SetAssayData(x, slot = "data", new.data = log1p(sparse), assay = "RNA")
saveRDS(x, at("seurat.rds"))
y <- x[, 1:5]
y[["HTO"]] <- NULL
y[["ADT"]] <- NULL
other_types <- named
save(y, other_types, file = at("seurat.RData"))
y[["integrated"]] <- CreateAssayObject(data = log1p(sparse))
DefaultAssay(y) <- "integrated"
saveRDS(y, at("seurat_integrated.rds"))
y <- suppressWarnings(CreateSeuratObject(CreateAssayObject(data = log1p(sparse))))
y$cell_type <- types
saveRDS(y, at("seurat_data.rds"))
pair <- list(first = x, second = y)
saveRDS(pair, at("seurats.rds"))

# Seurat 5 and 2, by their manuals
setClass("LogMap", contains = "matrix")
setClass("Assay5", slots = c(
  layers = "list", cells = "LogMap", features = "LogMap", default = "integer", assay.orig = "character",
  meta.data = "data.frame", misc = "list", key = "character"
))
setClass("Seurat5", slots = c(assays = "list", meta.data = "data.frame", active.assay = "character", active.ident = "factor"))
setClass("MatrixDir", slots = c(dir = "character"))
log_map <- function(names, layers, has = TRUE) {
  new("LogMap", matrix(has, length(names), length(layers), dimnames = list(names, layers)))
}
seurat5 <- function(layers, of_cells = TRUE, of_genes = TRUE) {
  assay <- new(
    "Assay5", layers = lapply(layers, function(l) { dimnames(l) <- list(NULL, NULL); l }), default = 1L,
    cells = log_map(cells, names(layers), of_cells), features = log_map(genes, names(layers), of_genes), key = "rna_"
  )
  object <- new(
    "Seurat5", assays = list(RNA = assay), active.assay = "RNA", active.ident = setNames(factor(types), cells),
    meta.data = data.frame(cell_type = types, row.names = cells)
  )
  attr(attr(object, "class"), "package") <- "SeuratObject"
  object
}
saveRDS(seurat5(list(counts = sparse, data = sparse / 2)), at("seurat5.rds"))
in_layer <- cbind(c(TRUE, TRUE, FALSE, FALSE, TRUE), c(FALSE, FALSE, TRUE, TRUE, FALSE))
saveRDS(seurat5(list(counts.1 = sparse[, c(1, 2, 5)], counts.2 = sparse[, 3:4]), in_layer), at("seurat5_split.rds"))
saveRDS(seurat5(list(counts = sparse[, 1:3])), at("seurat5_unfit.rds"))
saveRDS(seurat5(list()), at("seurat5_empty.rds"))
disk <- seurat5(list(counts = sparse))
disk@assays$RNA@layers$counts <- new("MatrixDir", dir = "/data/counts")
attr(disk, "class") <- structure("Seurat", package = "SeuratObject")
saveRDS(disk, at("seurat5_disk.rds"))
setClass("seurat", slots = c(raw.data = "dgCMatrix", meta.data = "data.frame", ident = "factor"))
saveRDS(new("seurat", raw.data = sparse, meta.data = meta, ident = factor(types)), at("seurat2.rds"))

# Bioconductor
s <- SingleCellExperiment(
  list(counts = sparse, logcounts = log1p(sparse)),
  colData = DataFrame(cell_type = factor(types), stage = Rle(c(1L, 1L, 2L, 2L, NA)), row.names = cells)
)
altExp(s, "ERCC") <- SummarizedExperiment(list(counts = sparse[1:2, ]))
altExp(s, "ADT") <- SummarizedExperiment(list(counts = sparse[3:4, ]))
saveRDS(s, at("sce.rds"))
save(s, file = at("sce.rda"))
saveRDS(SingleCellExperiment(list(logcounts = log1p(sparse)), colData = colData(s)), at("sce_log.rds"))
saveRDS(SingleCellExperiment(list(norm = sparse, logcounts = log1p(sparse))), at("sce_norm.rds"))
saveRDS(SingleCellExperiment(list(counts = DelayedArray(sparse)), colData = colData(s)), at("sce_delayed.rds"))
saveRDS(SingleCellExperiment(list(counts = DelayedArray(sparse)[, 5:1])), at("sce_waiting.rds"))
saveRDS(SummarizedExperiment(list(matrix = unname(m), more = unname(m)), colData = DataFrame(cell_type = types)), at("summarized.rds"))
ranges <- GenomicRanges::GRanges("1", IRanges::IRanges(1:4, width = 1), names = genes)
names(ranges) <- genes
saveRDS(SummarizedExperiment(list(counts = unname(int)), rowRanges = ranges, colData = colData(s)), at("ranged.rds"))
e <- ExpressionSet(m, phenoData = AnnotatedDataFrame(data.frame(FACS_type = types, row.names = cells)))
save(e, file = at("eset.rda"))
setClass("CellDataSet", contains = "ExpressionSet", slots = c(lowerDetectionLimit = "numeric"))
cds <- new("CellDataSet", exprs = m, phenoData = phenoData(e))
save(cds, file = at("cds.rda"))
