#!/usr/bin/env bash
# scanpy.read_10x_mtx keeps the rows whose third column is exactly Gene Expression: another spelling gives cells without
# genes, and a gene whose row lacks the type is gone, both without a warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --disable-pip-version-check -q scanpy==1.11.5 anndata==0.12.19 'pandas<3' 'pynndescent<0.7'
cd "$folder"
"$folder/env/bin/python" -W ignore - <<'PY'
import gzip
from pathlib import Path

import scanpy as sc


def read(types):
    Path("x").mkdir(exist_ok=True)
    files = {
        "matrix.mtx": "%%MatrixMarket matrix coordinate integer general\n3 2 4\n1 1 1\n2 1 2\n3 2 3\n1 2 4\n",
        "barcodes.tsv": "AAAC-1\nAAAG-1\n",
        "features.tsv": "".join(f"E{i}\tG{i}{kind}\n" for i, kind in enumerate(types)),
    }
    for name, text in files.items():
        Path("x", f"{name}.gz").write_bytes(gzip.compress(text.encode()))
    return sc.read_10x_mtx("x").var_names.tolist()


seen = {
    "usual": read(["\tGene Expression"] * 3),
    "small letter": read(["\tGene expression"] * 3),
    "one without a type": read(["\tGene Expression", "", "\tGene Expression"]),
}
print(seen)
assert seen["usual"] == ["G0", "G1", "G2"]
assert seen["small letter"] == []
assert seen["one without a type"] == ["G0", "G2"]
PY
