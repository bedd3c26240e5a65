"""Files as people have them: each gives the right cells, genes, orientation and labels, or one clear line.

A situation writes its input into an empty folder and says what is right.
"""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csc_matrix, csr_matrix

from scbench.data.config import FileDataset
from scbench.data.load import open_dataset
from scbench.errors import ScbenchError

N, G = 120, 60
_rng = np.random.default_rng(0)
_types = np.repeat(["T0", "T1", "T2"], 40)
_counts = _rng.poisson(np.repeat(_rng.gamma(0.6, 2.0, (3, G)), 40, axis=0)).astype("int32")
_order = _rng.permutation(N)
X, TYPES = _counts[_order], _types[_order]
BARCODES = np.array(["".join(_rng.choice(list("ACGT"), 16)) for _ in range(N)])
CELLS = np.array([f"{barcode}-1" for barcode in BARCODES])
GENES = np.array([f"Gene{i}" for i in range(G)])
_shuffled = np.argsort(BARCODES)


@dataclass(frozen=True)
class Right:
    """What is right: the given settings, sizes, labels, and words that have to be said, or the refusal.

    ``matrix`` and ``labels`` are those of the toy unless given; None of labels: no labels are asked for.
    """

    settings: dict[str, Any]
    matrix: Any = None
    genes: Any = None
    labels: Any = "toy"
    says: tuple[str, ...] = ()
    refused: str | None = None


SITUATIONS: dict[str, Callable[[Path], Right]] = {}


def situation(function: Callable[[Path], Right]) -> Callable[[Path], Right]:
    SITUATIONS[function.__name__] = function
    return function


def refused(message: str, path: Path, **settings: Any) -> Right:
    return Right({"path": path, **settings}, refused=message)


def _h5ad(path: Path, x: Any = None, obs: pd.DataFrame | None = None, genes: Any = GENES) -> Path:
    table = pd.DataFrame(index=CELLS) if obs is None else obs
    ad.AnnData(X.astype("f4") if x is None else x, obs=table, var=pd.DataFrame(index=genes)).write_h5ad(path)
    return path


def _labels(folder: Path, frame: pd.DataFrame, **kwargs: Any) -> Path:
    frame.to_csv(folder / "labels.csv", index=False, **kwargs)
    return folder / "labels.csv"


def _names(spelled: Callable[[str], str] = str) -> pd.DataFrame:
    """Return a label table in another order than the cells."""
    return pd.DataFrame({"barcode": [spelled(c) for c in CELLS[_shuffled]], "cell_type": TYPES[_shuffled]})


def _respelled(name: str, spelled: Callable[[str], str], says: str) -> None:
    def made(folder: Path) -> Right:
        labels = _labels(folder, _names(spelled))
        return Right({"path": _h5ad(folder / "cells.h5ad"), "label_path": labels}, says=(says,))

    SITUATIONS[f"label_names_{name}"] = made


_respelled("without_suffix", lambda c: c[:-2], "without '-1' of the matrix")
_respelled("with_dots", lambda c: c.replace("-", "."), "in R's spelling")
_respelled("with_a_sample_in_front", lambda c: f"s1_{c}", "without 's1_' of the file")
_respelled("with_a_sample_behind", lambda c: f"{c}_s1", "without '_s1' of the file")
_respelled("with_a_leading_blank", lambda c: f" {c}", "without blanks and quotes")
_respelled("in_quotes", lambda c: f"'{c}'", "without blanks and quotes")
_respelled("of_velocyto", lambda c: f"run7:{c[:-2]}x", "without '-1' of the matrix and 'run7:' and 'x' of the file")
_respelled("mangled_with_a_sample", lambda c: f"s1_{c}".replace("-", "."), "without 's1_' of the file, in R's spelling")


@situation
def label_names_of_two_samples_in_one_file(folder: Path) -> Right:
    both = [
        _names(lambda c, s=s: f"{s}_{c}").assign(cell_type=lambda f, s=s: f.cell_type if s == "s1" else "other")
        for s in ("s2", "s1")
    ]  # type: ignore[misc]
    frame = pd.concat(both)
    frame.loc[frame.cell_type == "other", "barcode"] = [f"s2_{'ACGT' * 4}{i}" for i in range(N)]
    labels = _labels(folder, frame)
    return Right({"path": _h5ad(folder / "cells.h5ad"), "label_path": labels}, says=("without 's1_' of the file",))


@situation
def label_names_in_the_second_column(folder: Path) -> Right:
    labels = _labels(folder, _names()[["cell_type", "barcode"]])
    return Right({"path": _h5ad(folder / "cells.h5ad"), "label_path": labels, "label": "cell_type"})


@situation
def label_names_behind_a_sample_column(folder: Path) -> Right:
    labels = _labels(folder, _names().assign(sample="s1")[["sample", "barcode", "cell_type"]])
    return Right({"path": _h5ad(folder / "cells.h5ad"), "label_path": labels}, says=("'barcode' name the cells",))


@situation
def label_file_with_an_index_of_pandas(folder: Path) -> Right:
    _names().to_csv(folder / "l.csv")
    return Right(
        {"path": _h5ad(folder / "cells.h5ad"), "label_path": folder / "l.csv"}, says=("'barcode' name the cells",)
    )


@situation
def label_file_that_names_other_cells(folder: Path) -> Right:
    frame = pd.DataFrame({"barcode": [f"{b[::-1]}-9z" for b in BARCODES], "cell_type": TYPES})
    message = rf"both name the cells and share no name \(the first is '{frame.barcode[0]}' there, '{CELLS[0]}' here\); give.*label_order=file"
    return refused(message, _h5ad(folder / "cells.h5ad"), label_path=_labels(folder, frame))


@situation
def label_file_that_names_other_cells_taken_in_order(folder: Path) -> Right:
    frame = pd.DataFrame({"barcode": [f"{b[::-1]}-9z" for b in BARCODES], "cell_type": TYPES})
    return Right(
        {"path": _h5ad(folder / "cells.h5ad"), "label_path": _labels(folder, frame), "label_order": "file"},
        says=("in the order of its rows",),
    )


@situation
def label_file_of_numbered_samples(folder: Path) -> Right:
    cells = pd.DataFrame(index=[f"A_{i}" for i in range(1, N + 1)])
    frame = pd.DataFrame({"cell": [f"B_{i}" for i in range(1, N + 1)], "cell_type": TYPES})
    return refused("share no name", _h5ad(folder / "cells.h5ad", obs=cells), label_path=_labels(folder, frame))


@situation
def label_file_without_names(folder: Path) -> Right:
    labels = _labels(folder, pd.DataFrame({"cell_type": TYPES}))
    return Right({"path": _h5ad(folder / "cells.h5ad"), "label_path": labels}, says=("in the order of its rows",))


@situation
def label_file_with_numbers_beside(folder: Path) -> Right:
    labels = _labels(folder, pd.DataFrame({"n_counts": X.sum(axis=1) + 0.5, "cell_type": TYPES}))
    return Right({"path": _h5ad(folder / "cells.h5ad"), "label_path": labels}, says=("in the order of its rows",))


@situation
def matrix_with_numbered_cells(folder: Path) -> Right:
    labels = _labels(folder, pd.DataFrame({"barcode": CELLS, "cell_type": TYPES}))
    return Right(
        {"path": _h5ad(folder / "cells.h5ad", obs=pd.DataFrame(index=[str(i) for i in range(N)])), "label_path": labels}
    )


@situation
def both_sides_numbered_one_from_zero_one_from_one(folder: Path) -> Right:
    labels = _labels(folder, pd.DataFrame({"cell": range(1, N + 1), "cell_type": TYPES}))
    return Right(
        {"path": _h5ad(folder / "cells.h5ad", obs=pd.DataFrame(index=[str(i) for i in range(N)])), "label_path": labels}
    )


@situation
def both_sides_numbered_with_other_lengths(folder: Path) -> Right:
    labels = _labels(folder, pd.DataFrame({"cell": range(1, N), "cell_type": TYPES[1:]}))
    cells = _h5ad(folder / "cells.h5ad", obs=pd.DataFrame(index=[str(i) for i in range(N)]))
    return refused("numbers its rows otherwise", cells, label_path=labels)


@situation
def label_file_with_half_of_the_cells(folder: Path) -> Right:
    labels = _labels(folder, _names().iloc[:80])
    return refused(
        "40 of 120 cells have no label. Pass dataset.unlabelled=drop", _h5ad(folder / "c.h5ad"), label_path=labels
    )


@situation
def label_file_with_half_of_the_cells_in_another_spelling(folder: Path) -> Right:
    labels = _labels(folder, _names(lambda c: c[:-2]).iloc[:80])
    return refused(
        "40 of 120 cells have no label. Pass dataset.unlabelled=drop", _h5ad(folder / "c.h5ad"), label_path=labels
    )


@situation
def label_file_with_a_cell_twice(folder: Path) -> Right:
    frame = pd.concat([_names(), _names().iloc[:3]])
    return refused("names 3 cells twice", _h5ad(folder / "c.h5ad"), label_path=_labels(folder, frame))


@situation
def label_file_with_comments(folder: Path) -> Right:
    (folder / "l.csv").write_text("# made by somebody, 3 Nov\n" + _names().to_csv(index=False))
    return Right({"path": _h5ad(folder / "cells.h5ad"), "label_path": folder / "l.csv"})


@situation
def label_file_separated_by_blanks(folder: Path) -> Right:
    labels = _labels(folder, _names(), sep=" ")
    return Right({"path": _h5ad(folder / "cells.h5ad"), "label_path": labels})


@situation
def labels_of_two_words_alone_in_a_file(folder: Path) -> Right:
    words = np.array([f"T {t[1]}" for t in TYPES])
    (folder / "l.txt").write_text("\n".join(["cell type", *words]) + "\n")
    return Right({"path": _h5ad(folder / "cells.h5ad"), "label_path": folder / "l.txt"}, labels=words)


@situation
def genes_in_rows_with_mangled_cells_and_a_label_file(folder: Path) -> Right:
    cells = [f"X{i}_{c.replace('-', '.')}" for i, c in enumerate(CELLS)]
    pd.DataFrame(X.T, index=GENES, columns=cells).to_csv(folder / "g.csv")
    frame = pd.DataFrame({"cell": [f"{i}_{c}" for i, c in enumerate(CELLS)], "cell_type": TYPES}).iloc[_shuffled]
    return Right({"path": folder / "g.csv", "label_path": _labels(folder, frame)}, says=("in R's spelling",))


def _genes_in_rows(name: str, write: Callable[[pd.DataFrame, Path], None], genes: Any = GENES) -> None:
    def made(folder: Path) -> Right:
        write(pd.DataFrame(X.T, index=GENES, columns=CELLS), folder / "geo.csv")
        return Right({"path": folder / "geo.csv", "label": "none"}, labels=None, genes=genes)

    SITUATIONS[f"genes_in_rows_{name}"] = made


_genes_in_rows("plain", lambda t, path: t.to_csv(path))
_genes_in_rows("under_gene", lambda t, path: t.rename_axis("gene").to_csv(path))
_genes_in_rows("under_GENE_of_drop_seq", lambda t, path: t.rename_axis("GENE").to_csv(path, sep="\t"))
_genes_in_rows("of_r", lambda t, path: t.to_csv(path, sep="\t", index_label=False))
_genes_in_rows("of_write_table", lambda t, path: t.to_csv(path, sep=" ", index_label=False, quoting=2))
_genes_in_rows("behind_a_comment", lambda t, path: path.write_text("# counts, GSE1\n" + t.to_csv()) and None)
_genes_in_rows(
    "with_ids",
    lambda t, path: (
        t.assign(gene_name=GENES).set_axis([f"ENSG{i:011d}" for i in range(G)]).rename_axis("gene_id").to_csv(path)
    ),
    [f"ENSG{i:011d}" for i in range(G)],
)


@situation
def genes_in_rows_without_names_that_tell(folder: Path) -> Right:
    pd.DataFrame(X.T, index=[f"r{i}" for i in range(G)], columns=[f"s{i}" for i in range(N)]).to_csv(folder / "g.csv")
    message = (
        r"g\.csv is 60 x 120 and does not tell whether its rows are cells or genes.*'r0'.*'s0'.*dataset\.orientation"
    )
    return refused(message, folder / "g.csv", label="none")


@situation
def genes_in_rows_said_by_the_user(folder: Path) -> Right:
    genes = [f"r{i}" for i in range(G)]
    pd.DataFrame(X.T, index=genes, columns=[f"s{i}" for i in range(N)]).to_csv(folder / "g.csv")
    return Right({"path": folder / "g.csv", "label": "none", "orientation": "genes_by_cells"}, labels=None, genes=genes)


@situation
def cells_in_rows_without_labels(folder: Path) -> Right:
    pd.DataFrame(X, index=CELLS, columns=GENES).to_csv(folder / "c.csv")
    return Right({"path": folder / "c.csv", "label": "none"}, labels=None)


@situation
def real_symbols_tell_genes(folder: Path) -> Right:
    symbols = ["CD3E", "RPL13", "MT-CO1", "LYZ", "S100A8", *[f"Q{i}" for i in range(G - 5)]]
    pd.DataFrame(X.T, index=symbols, columns=[f"P{i}.{t}" for i, t in enumerate(TYPES)]).to_csv(folder / "g.csv")
    return Right({"path": folder / "g.csv", "label": "none"}, labels=None, genes=symbols)


@situation
def hdf5_with_the_dimensions_of_r(folder: Path) -> Right:
    with h5py.File(folder / "x.h5", "w") as file:
        file["X"], file["Y"] = X.T, np.char.encode(TYPES)
    return Right({"path": folder / "x.h5"}, genes=False, says=("X is 60 x 120.*read as genes x cells",))


@situation
def hdf5_with_the_dimensions_of_r_without_labels(folder: Path) -> Right:
    with h5py.File(folder / "x.h5", "w") as file:
        file["X"], file["gene"] = X.T, np.char.encode(GENES)
    return Right({"path": folder / "x.h5", "label": "none"}, labels=None, says=("read as genes x cells",))


@situation
def hdf5_with_labels_in_one_row(folder: Path) -> Right:
    with h5py.File(folder / "x.h5", "w") as file:
        file["X"], file["Y"] = X, np.char.encode(TYPES)[None, :]
    return Right({"path": folder / "x.h5"}, genes=False)


@situation
def hdf5_with_one_hot_labels(folder: Path) -> Right:
    with h5py.File(folder / "x.h5", "w") as file:
        file["X"], file["Y"] = X, (TYPES[:, None] == ["T0", "T1", "T2"]).astype("f4")
    codes = np.array([t[1] for t in TYPES])
    return Right({"path": folder / "x.h5"}, genes=False, labels=codes, says=("'Y' is one-hot",))


@situation
def square_triplet_without_encoding(folder: Path) -> Right:
    square = csc_matrix(X[:G])
    with h5py.File(folder / "x.h5", "w") as file:
        for part in ("data", "indices", "indptr"):
            file[f"X/{part}"] = getattr(square, part)
        file["X/shape"] = square.shape
        file["Y"] = np.char.encode(TYPES[:G])
    return refused("60 x 60 and does not say whether its rows or its columns are compressed", folder / "x.h5")


@situation
def square_triplet_said_by_the_user(folder: Path) -> Right:
    square_triplet_without_encoding(folder)
    # indptr counts the values of genes
    return Right(
        {"path": folder / "x.h5", "orientation": "genes_by_cells"}, matrix=X[:G], labels=TYPES[:G], genes=False
    )


@situation
def one_label_per_cell(folder: Path) -> Right:
    pd.DataFrame(X, columns=GENES).assign(cell_type=BARCODES).to_csv(folder / "u.csv", index=False)
    return refused(rf"each of its 120 cells has a label of its own \(the first: '{BARCODES[0]}'\)", folder / "u.csv")


@situation
def labels_mostly_of_one_cell(folder: Path) -> Right:
    labels = np.array([f"c{i}" if i > 3 else "c0" for i in range(N)])
    pd.DataFrame(X, columns=GENES).assign(cell_type=labels).to_csv(folder / "u.csv", index=False)
    return Right({"path": folder / "u.csv"}, labels=labels, says=("116 of 117 types have one cell only",))


@situation
def labels_with_blanks_around(folder: Path) -> Right:
    spaced = [f" {t}" if i % 2 else f"{t}  " for i, t in enumerate(TYPES)]
    pd.DataFrame(X, columns=GENES).assign(cell_type=spaced).to_csv(folder / "u.csv", index=False)
    return Right({"path": folder / "u.csv"})


@situation
def labels_in_two_cases(folder: Path) -> Right:
    labels = np.array([t.lower() if i % 2 else t for i, t in enumerate(TYPES)])
    pd.DataFrame(X, columns=GENES).assign(cell_type=labels).to_csv(folder / "u.csv", index=False)
    return Right({"path": folder / "u.csv"}, labels=labels, says=("6 types differ only in case",))


def _with_labels(path: Path, write: Callable[[h5py.File], None]) -> Path:
    with h5py.File(path, "w") as file:
        file["X"] = X
        write(file)
    return path


@situation
def missing_integers_of_r(folder: Path) -> Right:
    codes = np.array([int(t[1]) for t in TYPES], dtype="i4")
    codes[:20] = -(2**31)
    path = _with_labels(folder / "x.h5", lambda file: file.update({"Y": codes}))
    kept = slice(20, None)
    return Right(
        {"path": path, "unlabelled": "drop"},
        matrix=X[kept],
        labels=codes[kept].astype(str),
        genes=False,
        says=("20 cells without a label",),
    )


@situation
def missing_logicals_of_rhdf5(folder: Path) -> Right:
    values = np.where(TYPES == "T0", 1, 0).astype("i1")
    values[:20] = -128
    path = _with_labels(folder / "x.h5", lambda file: file.update({"Y": values}))
    return refused("20 of 120 cells have no label", path)


@situation
def missing_logicals_in_an_enum(folder: Path) -> Right:
    kind = h5py.enum_dtype({"FALSE": 0, "TRUE": 1}, basetype="i1")

    def write(file: h5py.File) -> None:
        dataset = file.create_dataset("Y", (N,), dtype=kind)
        values = np.where(TYPES == "T0", 1, 0).astype("i1")
        values[:20] = -128
        dataset.id.write(h5py.h5s.ALL, h5py.h5s.ALL, values, dataset.id.get_type())

    return refused("20 of 120 cells have no label", _with_labels(folder / "x.h5", write))


@situation
def factor_of_hdf5r(folder: Path) -> Right:
    kind = h5py.enum_dtype({"T0": 1, "T1": 2, "T2": 3}, basetype="u1")
    codes = np.array([int(t[1]) + 1 for t in TYPES], dtype="u1")
    path = _with_labels(folder / "x.h5", lambda file: file.create_dataset("Y", data=codes, dtype=kind) and None)
    return Right({"path": path}, genes=False, says=("factor of 3 levels written by hdf5r.*'T2' may have no label",))


@situation
def factor_of_hdf5r_with_missing_values(folder: Path) -> Right:
    kind = h5py.enum_dtype({"T0": 1, "T1": 2, "T2": 3, "T3": 4}, basetype="u1")
    codes = np.array([int(t[1]) + 1 for t in TYPES], dtype="u1")
    codes[:20] = 7
    path = _with_labels(folder / "x.h5", lambda file: file.create_dataset("Y", data=codes, dtype=kind) and None)
    return refused("20 of 120 cells have no label", path)


@situation
def metadata_among_the_genes(folder: Path) -> Right:
    table = pd.DataFrame(X, columns=GENES).assign(
        nCount_SCT=X.sum(axis=1),
        **{"leiden_res_1.0": 1, "S.Score": 0.5, "celltype_code": [int(t[1]) for t in TYPES]},
        cell_type=TYPES,
    )
    table.to_csv(folder / "m.csv", index=False)
    return Right(
        {"path": folder / "m.csv"},
        says=("4 columns are taken for descriptions.*nCount_SCT, leiden_res_1.0, S.Score, celltype_code",),
    )


@situation
def codes_of_the_types_among_the_genes(folder: Path) -> Right:
    codes = np.array([5 + int(t[1]) for t in TYPES])
    pd.DataFrame(X, columns=GENES).assign(zz9=codes, cell_type=TYPES).to_csv(folder / "m.csv", index=False)
    return Right(
        {"path": folder / "m.csv"},
        matrix=np.column_stack([X, codes]),
        genes=[*GENES, "zz9"],
        says=(r"1 genes are one to one with the labels \(zz9\)",),
    )


def _with_spikes() -> tuple[np.ndarray, list[str]]:
    spikes = np.full((N, 3), 7, dtype="int32")
    return np.column_stack([X, spikes]), [*GENES, "ERCC-00002", "ERCC-00171", "ercc-1"]


@situation
def spike_ins_are_kept_and_said(folder: Path) -> Right:
    matrix, genes = _with_spikes()
    path = _h5ad(folder / "s.h5ad", matrix.astype("f4"), pd.DataFrame({"cell_type": TYPES}, index=CELLS), genes)
    share = 100 * 14 * N / matrix.sum()
    return Right(
        {"path": path},
        matrix=matrix,
        genes=genes,
        says=(rf"2 of 63 genes are spike-ins \(such as ERCC-00002\) with {share:.1f}%",),
    )


@situation
def spike_ins_are_left_out(folder: Path) -> Right:
    matrix, genes = _with_spikes()
    path = _h5ad(folder / "s.h5ad", matrix.astype("f4"), pd.DataFrame({"cell_type": TYPES}, index=CELLS), genes)
    kept = [*range(G), G + 2]
    return Right(
        {"path": path, "spike_ins": "drop"},
        matrix=matrix[:, kept],
        genes=[genes[i] for i in kept],
        says=("and were left out",),
    )


def _tenx_h5(path: Path, matrix: np.ndarray, cells: list[str]) -> Path:
    stored = csr_matrix(matrix)
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix")
        for part in ("data", "indices", "indptr"):
            group[part] = getattr(stored, part)
        group["shape"], group["barcodes"] = [G, len(cells)], np.char.encode(cells)
        features = group.create_group("features")
        features["name"] = features["id"] = np.char.encode(GENES)
        features["feature_type"] = [b"Gene Expression"] * G
    return path


@situation
def unfiltered_matrix_of_cell_ranger(folder: Path) -> Right:
    matrix = np.vstack([X, np.zeros((4 * N, G), dtype="int32")])
    path = _tenx_h5(folder / "raw_feature_bc_matrix.h5", matrix, [f"B{i}-1" for i in range(5 * N)])
    words = "480 of 600 cells have no count.*empty_cells=drop.*looks like an unfiltered matrix"
    return Right({"path": path, "label": "none"}, matrix=matrix, labels=None, says=(words,))


@situation
def empty_barcodes_left_out(folder: Path) -> Right:
    matrix = np.vstack([X, np.zeros((4 * N, G), dtype="int32")])
    path = _tenx_h5(folder / "raw_feature_bc_matrix.h5", matrix, [f"B{i}-1" for i in range(5 * N)])
    return Right(
        {"path": path, "label": "none", "empty_cells": "drop"},
        labels=None,
        says=("480 of 600 cells without a count were left out",),
    )


@situation
def identical_cells(folder: Path) -> Right:
    matrix = np.repeat(X[:12], 10, axis=0)
    path = _h5ad(
        folder / "d.h5ad", matrix.astype("f4"), pd.DataFrame({"cell_type": np.repeat(TYPES[:12], 10)}, index=CELLS)
    )
    return Right(
        {"path": path},
        matrix=matrix,
        labels=np.repeat(TYPES[:12], 10),
        says=("120 of 120 cells are identical to another",),
    )


def _foreign_h5ad(
    path: Path, *, table: bool = True, ordered: bool = False, array: bool = False, leave: str = ""
) -> Path:
    """Write an h5ad as R and Julia packages do."""
    text = h5py.string_dtype()
    codes = np.unique(TYPES, return_inverse=True)[1]
    with h5py.File(path, "w") as file:
        file["X"] = X.astype("f4")
        for name, ids in (("obs", CELLS), ("var", GENES)):
            group = file.create_group(name)
            group["index"] = np.char.encode(ids)
            if name == "obs" and ordered:
                group["cell_type/codes"], group["cell_type/categories"] = codes.astype("i1"), [b"T0", b"T1", b"T2"]
                group["cell_type"].attrs["ordered"] = False
            elif name == "obs":
                group["cell_type"] = np.char.encode(TYPES)
            attributes: dict[str, Any] = {"_index": "index", "encoding-type": "dataframe", "encoding-version": "0.2.0"}
            attributes = {key: np.array([value], dtype=text) if array else value for key, value in attributes.items()}
            attributes["column-order"] = np.array(["cell_type"] if name == "obs" else [], dtype=text)
            for key, value in attributes.items():
                if table and key != leave:
                    group.attrs[key] = value
    return path


@situation
def h5ad_without_encoding(folder: Path) -> Right:
    return Right({"path": _foreign_h5ad(folder / "a.h5ad", table=False)})


@situation
def h5ad_with_a_category_without_encoding(folder: Path) -> Right:
    return Right({"path": _foreign_h5ad(folder / "a.h5ad", ordered=True)})


@situation
def h5ad_with_attributes_of_length_1(folder: Path) -> Right:
    return Right({"path": _foreign_h5ad(folder / "a.h5ad", array=True)})


@situation
def h5ad_without_column_order(folder: Path) -> Right:
    return Right({"path": _foreign_h5ad(folder / "a.h5ad", leave="column-order")})


@situation
def h5ad_without_index_attribute(folder: Path) -> Right:
    return Right({"path": _foreign_h5ad(folder / "a.h5ad", leave="_index")})


@situation
def h5ad_with_an_unreadable_column(folder: Path) -> Right:
    path = _foreign_h5ad(folder / "a.h5ad")
    with h5py.File(path, "a") as file:
        file["obs/broken/what"] = 1
        file["obs/broken"].attrs["encoding-type"] = "of a later version"
        file["obs"].attrs["column-order"] = np.array(["cell_type", "broken"], dtype=h5py.string_dtype())
    return Right({"path": path})


@situation
def h5ad_with_the_dimensions_of_r(folder: Path) -> Right:
    path = _foreign_h5ad(folder / "a.h5ad")
    with h5py.File(path, "a") as file:
        del file["X"]
        file["X"] = X.T.astype("f4")
    return Right(
        {"path": path}, says=("X is 60 x 120 and there are 120 names of cells, so it is read as genes x cells",)
    )


@situation
def h5ad_with_antibodies_among_the_genes(folder: Path) -> Right:
    genes = pd.DataFrame(
        {"feature_types": ["gene expression"] * 58 + ["Antibody Capture", "antibody_capture"]}, index=GENES
    )
    ad.AnnData(X.astype("f4"), pd.DataFrame({"cell_type": TYPES}, index=CELLS), genes).write_h5ad(folder / "a.h5ad")
    return Right(
        {"path": folder / "a.h5ad"},
        matrix=X[:, :58],
        genes=GENES[:58],
        says=("2 features that are no genes are left out: 2 Antibody Capture",),
    )


@situation
def counts_of_feature_counts(folder: Path) -> Right:
    table = pd.DataFrame(X.T, index=pd.Index([f"ENSG{i:011d}" for i in range(G)], name="Geneid"), columns=CELLS)
    for i, (name, value) in enumerate({"Chr": "1;1", "Start": 1, "End": 9, "Strand": "+", "Length": 8}.items()):
        table.insert(i, name, value)
    (folder / "f.txt").write_text("# Program:featureCounts v2.0.1; Command: x\n" + table.to_csv(sep="\t"))
    return Right(
        {"path": folder / "f.txt", "label": "none"},
        labels=None,
        genes=table.index,
        says=("3 columns describe genes and are left out: Start, End, Length",),
    )


@situation
def quake_with_the_dimensions_of_r(folder: Path) -> Right:
    with h5py.File(folder / "q.h5", "w") as file:
        file["exprs"], file["obs/cell_type1"] = X.T, np.char.encode(TYPES)
        file["obs_names"], file["var_names"] = np.char.encode(CELLS), np.char.encode(GENES)
    return Right({"path": folder / "q.h5"}, says=("exprs is 60 x 120 and there are 120 names of cells",))


@situation
def loom_that_is_turned(folder: Path) -> Right:
    with h5py.File(folder / "l.loom", "w") as file:
        file["matrix"], file["col_attrs/CellType"] = X, np.char.encode(TYPES)
        file["col_attrs/CellID"], file["row_attrs/Gene"] = np.char.encode(CELLS), np.char.encode(GENES)
    return Right({"path": folder / "l.loom"}, says=("read as",))


@situation
def table_separated_by_blanks(folder: Path) -> Right:
    pd.DataFrame(X, columns=GENES).assign(cell_type=TYPES).to_csv(folder / "w.txt", sep=" ", index=False)
    return Right({"path": folder / "w.txt"})


@situation
def wide_table_separated_by_blanks_without_labels(folder: Path) -> Right:
    columns = [f"Gene{i:05d}" for i in range(20_000)]
    pd.DataFrame(np.ones((5, 20_000), dtype=int), columns=columns).to_csv(folder / "w.txt", sep=" ", index=False)
    return refused("no label column 'cell_type'.{0,600}$", folder / "w.txt")


@situation
def table_behind_a_comment(folder: Path) -> Right:
    table = pd.DataFrame(X, columns=GENES).assign(cell_type=TYPES)
    (folder / "t.csv").write_text("# GSE1, counts\n\n" + table.to_csv(index=False))
    return Right({"path": folder / "t.csv"})


@situation
def table_whose_header_begins_with_a_hash(folder: Path) -> Right:
    table = pd.DataFrame(X.T, index=pd.Index(GENES, name="#gene"), columns=CELLS)
    table.to_csv(folder / "t.tsv", sep="\t")
    return Right({"path": folder / "t.tsv", "label": "none"}, labels=None)


@situation
def labels_of_another_length(folder: Path) -> Right:
    path = _with_labels(folder / "x.h5", lambda file: file.update({"Y": np.char.encode(TYPES[:100])}))
    return refused("has 120 cells but 100 labels; its parts do not belong together(?!.*none)", path)


@situation
def h5mu_with_two_modalities(folder: Path) -> Right:
    ad.AnnData(X.astype("f4"), pd.DataFrame({"cell_type": TYPES}, index=CELLS), pd.DataFrame(index=GENES)).write_h5ad(
        folder / "rna.h5ad"
    )
    ad.AnnData(np.ones((N, 2), "f4"), pd.DataFrame(index=CELLS), pd.DataFrame(index=["CD3", "CD19"])).write_h5ad(
        folder / "prot.h5ad"
    )
    with h5py.File(folder / "m.h5mu", "w") as file:
        for name in ("prot", "rna"):
            with h5py.File(folder / f"{name}.h5ad") as one:
                one.copy(one["/"], file.require_group("mod"), name)
        file.create_group("obs")["_index"] = np.char.encode(CELLS)
    return Right({"path": folder / "m.h5mu"}, says=("modality 'rna' is read, prot left out",))


@situation
def h5mu_without_rna(folder: Path) -> Right:
    h5mu_with_two_modalities(folder)
    with h5py.File(folder / "m.h5mu", "a") as file:
        file.move("mod/rna", "mod/gex")
    return refused("has no modality 'rna'.*Modalities there: gex, prot. Set dataset.modality", folder / "m.h5mu")


@situation
def h5mu_with_labels_of_the_whole(folder: Path) -> Right:
    h5mu_with_two_modalities(folder)
    with h5py.File(folder / "m.h5mu", "a") as file:
        del file["mod/rna/obs/cell_type"], file["obs/_index"]
        file["obs/_index"], file["obs/fine"] = np.char.encode(CELLS[_shuffled]), np.char.encode(TYPES[_shuffled])
    return Right({"path": folder / "m.h5mu", "modality": "rna", "label": "fine"})


@situation
def zarr_store_of_anndata(folder: Path) -> Right:
    adata = ad.AnnData(
        csr_matrix(X.astype("f4")),
        pd.DataFrame({"cell_type": pd.Categorical(TYPES)}, index=CELLS),
        pd.DataFrame(index=GENES),
    )
    adata.write_zarr(folder / "a.zarr")
    return Right({"path": folder / "a.zarr"})


@situation
def dense_zarr_store_with_a_label_file(folder: Path) -> Right:
    ad.AnnData(X.astype("f4"), pd.DataFrame(index=CELLS), pd.DataFrame(index=GENES)).write_zarr(folder / "a.zarr")
    return Right({"path": folder / "a.zarr", "label_path": _labels(folder, _names())})


@situation
def name_that_cannot_be_a_name_of_a_dataset(folder: Path) -> Right:
    pd.DataFrame(X, columns=GENES).assign(cell_type=TYPES).to_csv(folder / "细胞.csv", index=False)
    return Right({"path": folder / "细胞.csv"}, says=("^file-[0-9a-f]{6}: 120 cells",))


@situation
def gzipped_table_of_geo(folder: Path) -> Right:
    text = pd.DataFrame(X.T, index=GENES, columns=BARCODES).rename_axis("GENE").to_csv(sep="\t")
    (folder / "GSM1_s1.dge.txt.gz").write_bytes(gzip.compress(text.encode()))
    return Right({"path": folder / "GSM1_s1.dge.txt.gz", "label": "none"}, labels=None)


@situation
def names_of_the_cells_in_another_column_of_the_matrix(folder: Path) -> Right:
    table = pd.DataFrame(X, columns=GENES)
    table.insert(0, "barcode", CELLS)
    table.to_csv(folder / "m.csv")
    return Right({"path": folder / "m.csv", "label_path": _labels(folder, _names())})


@situation
def names_of_the_cells_in_obs(folder: Path) -> Right:
    obs = pd.DataFrame({"batch": "b", "barcode": CELLS}, index=[str(i) for i in range(N)])
    return Right(
        {"path": _h5ad(folder / "c.h5ad", obs=obs), "label_path": _labels(folder, _names(lambda c: c[:-2]))},
        says=("paired with 'barcode' of the cells without '-1' of the matrix",),
    )


@situation
def names_of_the_cells_in_obs_that_are_of_another_sample(folder: Path) -> Right:
    obs = pd.DataFrame({"barcode": CELLS}, index=[str(i) for i in range(N)])
    labels = _labels(folder, _names(lambda c: c[::-1]))
    return refused(
        "column 'barcode' of the matrix both name the cells", _h5ad(folder / "c.h5ad", obs=obs), label_path=labels
    )


@situation
def names_in_two_columns(folder: Path) -> Right:
    wells = [f"P{i // 24}_{'ABCD'[i % 24 // 6]}{i % 6 + 1}" for i in range(N)]
    frame = pd.DataFrame([w.split("_") for w in wells], columns=["plate", "well"]).assign(cell_type=TYPES)
    labels = _labels(folder, frame.iloc[_shuffled])
    return Right(
        {"path": _h5ad(folder / "c.h5ad", obs=pd.DataFrame(index=wells)), "label_path": labels},
        says=("columns 'plate' and 'well' joined name the cells",),
    )


@situation
def few_names_in_common(folder: Path) -> Right:
    frame = _names(lambda c: c[::-1])
    frame.loc[:2, "barcode"] = CELLS[:3]
    return refused(
        "share 3 names only, of 120 cells and 120 rows(?!.*drop)",
        _h5ad(folder / "c.h5ad"),
        label_path=_labels(folder, frame),
    )


@situation
def most_names_in_common_in_another_spelling(folder: Path) -> Right:
    frame = _names(lambda c: f"S1_{c}")
    frame.loc[frame.index[:10], "barcode"] = [f"x{i}" for i in range(10)]
    return refused(
        "110 of 120 cells are found without 'S1_' of the file",
        _h5ad(folder / "c.h5ad"),
        label_path=_labels(folder, frame),
    )


@situation
def wells_of_another_plate(folder: Path) -> Right:
    wells = [f"{'ABCDEFGHIJ'[i // 12]}{i % 12 + 1:02d}" for i in range(N)]
    labels = _labels(folder, pd.DataFrame({"cell": [f"plate2_{w}" for w in wells], "cell_type": TYPES}))
    cells = _h5ad(folder / "c.h5ad", obs=pd.DataFrame(index=[f"plate1_{w}" for w in wells]))
    return refused("share no name", cells, label_path=labels)


@situation
def wells_of_two_plates_in_one_file(folder: Path) -> Right:
    wells = [f"{'ABCDEFGHIJ'[i // 12]}{i % 12 + 1:02d}" for i in range(N)]
    both = [*(f"P1_{w}" for w in wells), *(f"P2_{w}" for w in wells[4:])]
    labels = _labels(folder, pd.DataFrame({"cell": both, "cell_type": "x"}))
    return refused(
        "fit the cells in 2 ways", _h5ad(folder / "c.h5ad", obs=pd.DataFrame(index=wells)), label_path=labels
    )


@situation
def numbers_of_the_cells_in_another_order(folder: Path) -> Right:
    numbered = [f"cell_{i:03d}" for i in range(1, N + 1)]
    labels = _labels(folder, pd.DataFrame({"sample_no": range(N, 0, -1), "cell_type": TYPES[::-1]}))
    cells = _h5ad(folder / "c.h5ad", obs=pd.DataFrame(index=numbered))
    return refused(
        "'sample_no' holds the numbers in the names of the cells, but in another order", cells, label_path=labels
    )


@situation
def order_is_taken_with_a_warning_where_one_side_has_names(folder: Path) -> Right:
    labels = _labels(folder, pd.DataFrame({"cell_type": TYPES}))
    return Right(
        {"path": _h5ad(folder / "c.h5ad"), "label_path": labels},
        says=("has no names of cells and the matrix has .* labels are taken in the order of its rows",),
    )


@situation
def table_without_a_header(folder: Path) -> Right:
    np.savetxt(folder / "x.csv", X, "%d", ",")
    return refused("has no header: its first line holds values", folder / "x.csv", label="none")


@situation
def table_with_numbers_for_genes(folder: Path) -> Right:
    genes = [str(7157 + 3 * i) for i in range(G)]
    pd.DataFrame(X, index=CELLS, columns=genes).rename_axis("cell").to_csv(folder / "x.csv")
    return Right({"path": folder / "x.csv", "label": "none"}, labels=None, genes=genes)


@situation
def empty_line_among_the_labels(folder: Path) -> Right:
    lines = [*TYPES[:50], "", *TYPES[51:]]
    (folder / "l.txt").write_text("\n".join(["cell_type", *lines]) + "\n")
    kept = np.arange(N) != 50
    return Right(
        {"path": _h5ad(folder / "c.h5ad"), "label_path": folder / "l.txt", "unlabelled": "drop"},
        matrix=X[kept],
        labels=TYPES[kept],
        says=("1 cells without a label",),
    )


@situation
def one_label_missing_below_a_header(folder: Path) -> Right:
    (folder / "l.txt").write_text("\n".join(["what", *TYPES[1:]]) + "\n")
    return refused(
        r"the first \('what'\) is the only one of its kind", _h5ad(folder / "c.h5ad"), label_path=folder / "l.txt"
    )


@situation
def separator_at_the_end_of_the_rows(folder: Path) -> Right:
    lines = [f"{c},{t},b1," for c, t in zip(CELLS[_shuffled], TYPES[_shuffled], strict=True)]
    (folder / "l.csv").write_text("\n".join(["barcode,cell_type,batch", *lines]) + "\n")
    return Right({"path": _h5ad(folder / "c.h5ad"), "label_path": folder / "l.csv"})


@situation
def separator_at_the_end_of_a_table(folder: Path) -> Right:
    text = pd.DataFrame(X, index=CELLS, columns=GENES).rename_axis("cell").to_csv()
    (folder / "t.csv").write_text("\n".join(f"{line}," for line in text.splitlines()) + "\n")
    return refused("has a separator at the end of its rows", folder / "t.csv", label="none")


@situation
def labels_with_a_comma_and_no_quotes(folder: Path) -> Right:
    (folder / "l.txt").write_text("\n".join(f"T cell, CD{t[1]}" for t in TYPES) + "\n")
    return refused("put labels that hold a separator in quotes", _h5ad(folder / "c.h5ad"), label_path=folder / "l.txt")


@situation
def labels_in_quotes_behind_a_blank(folder: Path) -> Right:
    lines = [f'{c}, "T cell {t[1]}"' for c, t in zip(CELLS, TYPES, strict=True)]
    (folder / "l.csv").write_text("\n".join(["barcode, cell_type", *lines]) + "\n")
    words = np.array([f"T cell {t[1]}" for t in TYPES])
    return Right({"path": _h5ad(folder / "c.h5ad"), "label_path": folder / "l.csv"}, labels=words)


@situation
def quote_that_is_never_closed(folder: Path) -> Right:
    text = _names().to_csv(index=False).replace(",T0\n", ',"T0\n', 1)
    (folder / "l.csv").write_text(text)
    return refused(
        "a quote is opened before .* and never closed", _h5ad(folder / "c.h5ad"), label_path=folder / "l.csv"
    )


@situation
def label_file_of_a_header_alone(folder: Path) -> Right:
    (folder / "l.csv").write_text("barcode,cell_type\n")
    return refused("no rows below its header", _h5ad(folder / "c.h5ad"), label_path=folder / "l.csv")


@situation
def label_file_whose_labels_are_all_empty(folder: Path) -> Right:
    labels = _labels(folder, _names().assign(cell_type=""))
    return refused("120 of 120 cells have no label", _h5ad(folder / "c.h5ad"), label_path=labels)


@situation
def label_file_that_is_an_h5ad(folder: Path) -> Right:
    path = _h5ad(folder / "c.h5ad")
    return refused(r"c\.h5ad is an HDF5 file; labels are read from a csv", path, label_path=path)


@situation
def label_file_that_is_a_folder(folder: Path) -> Right:
    return refused("is a folder; labels are read from a csv", _h5ad(folder / "c.h5ad"), label_path=folder)


@situation
def genes_labelled_instead_of_cells(folder: Path) -> Right:
    pd.DataFrame(X[:G].T, index=GENES, columns=CELLS[:G]).to_csv(folder / "g.csv")
    frame = pd.DataFrame({"gene": GENES, "module": ["a", "b"] * (G // 2)})
    message = r"labels\.csv labels the columns|labels the rows of g\.csv, whose names are those of genes"
    return refused(message, folder / "g.csv", label_path=_labels(folder, frame), label="module")


@situation
def h5ad_of_genes_by_cells(folder: Path) -> Right:
    obs = pd.DataFrame(index=GENES)
    path = _h5ad(folder / "t.h5ad", X.T.astype("f4"), obs, CELLS)
    return refused(r"t\.h5ad looks turned.*'Gene0'.*dataset\.orientation=genes_by_cells", path, label="none")


@situation
def square_table_that_does_not_tell(folder: Path) -> Right:
    pd.DataFrame(X[:G], index=[f"S{i}" for i in range(G)], columns=[f"Q{i}" for i in range(G)]).to_csv(folder / "s.csv")
    labels = _labels(folder, pd.DataFrame({"cell_type": TYPES[:G]}))
    return refused("cannot be told whether cells are rows or columns", folder / "s.csv", label_path=labels)


@situation
def long_table(folder: Path) -> Right:
    long = pd.DataFrame(X, index=CELLS, columns=GENES).rename_axis("cell").reset_index().melt("cell", var_name="gene")
    long.sort_values("gene")[["gene", "cell", "value"]].to_csv(folder / "l.tsv", sep="\t", index=False)
    return refused("is a long table: 7200 rows for 60 names in its first column", folder / "l.tsv", label="none")


@situation
def two_columns_of_one_name(folder: Path) -> Right:
    table = pd.DataFrame(X, columns=GENES).assign(cell_type=TYPES)
    pd.concat([table, table.cell_type], axis=1).to_csv(folder / "t.csv", index=False)
    return refused("has 2 columns 'cell_type', which may differ", folder / "t.csv")


@situation
def counts_of_htseq(folder: Path) -> Right:
    table = pd.DataFrame(X.T, index=GENES, columns=CELLS)
    table.loc["__no_feature"], table.loc["__ambiguous"] = 9999, 7
    table.rename_axis("gene").to_csv(folder / "h.tsv", sep="\t")
    return Right(
        {"path": folder / "h.tsv", "label": "none"},
        labels=None,
        says=(r"2 rows of reads without a gene .*__no_feature",),
    )


@situation
def genes_in_rows_that_are_numbered(folder: Path) -> Right:
    table = pd.DataFrame(X.T, columns=CELLS)
    table.insert(0, "gene", GENES)
    table.to_csv(folder / "n.csv")
    return Right({"path": folder / "n.csv", "label": "none"}, labels=None)


@situation
def series_of_geo(folder: Path) -> Right:
    table = pd.DataFrame(X.T, index=pd.Index(GENES, name="ID_REF"), columns=[f"GSM{i}" for i in range(N)])
    text = '!Series_title\t"x"\n!Series_sample\n' + table.to_csv(sep="\t") + "!series_matrix_table_end\n"
    (folder / "GSE1_series_matrix.txt").write_text(text)
    return Right({"path": folder / "GSE1_series_matrix.txt", "label": "none"}, labels=None)


@situation
def title_above_the_header(folder: Path) -> Right:
    (folder / "t.csv").write_text("Supplementary Table 1\n" + pd.DataFrame(X, CELLS, GENES).to_csv())
    return refused("begins with a line of one field .'Supplementary Table 1'.*a title", folder / "t.csv", label="none")


@situation
def spreadsheet(folder: Path) -> Right:
    with zipfile.ZipFile(folder / "t.zip", "w") as archive:
        archive.writestr("[Content_Types].xml", "")
    return refused("is an Excel file; save it as CSV UTF-8", folder / "t.zip", label="none")


@pytest.mark.parametrize("name", list(SITUATIONS))
def test_each_gives_the_right_content_or_one_clear_line(tmp_path: Path, name: str) -> None:
    right = SITUATIONS[name](tmp_path)
    settings = {key: str(value) if isinstance(value, Path) else value for key, value in right.settings.items()}
    config = FileDataset(name="file", **settings)
    if right.refused is not None:
        with pytest.raises(ScbenchError, match=right.refused) as caught:
            open_dataset(config)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 1000
        return
    dataset = open_dataset(config)
    counts = dataset.counts()
    np.testing.assert_array_equal(counts.matrix.toarray(), X if right.matrix is None else right.matrix)
    if right.genes is False:
        assert counts.genes is None
    else:
        assert counts.genes is not None
        assert counts.genes.tolist() == list(GENES if right.genes is None else right.genes)
    labels = dataset.labels()
    if right.labels is None:
        assert labels is None
    else:
        assert labels is not None
        np.testing.assert_array_equal(labels, TYPES if isinstance(right.labels, str) else right.labels)
    said = "\n".join([dataset.described(), *dataset.warnings])
    for words in right.says:
        with pytest.raises(AssertionError, match=words):  # the line that fails a search is shown by pytest
            raise AssertionError(said)
