#!/usr/bin/env bash
# scanpy.read_10x_mtx(cache=True) names its copy after the path alone: after the counts were made anew, the old ones are
# read, without a warning.
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

sc.settings.cachedir = "cache"


def write(count):
    Path("x").mkdir(exist_ok=True)
    files = {
        "matrix.mtx": f"%%MatrixMarket matrix coordinate integer general\n2 2 2\n1 1 {count}\n2 2 3\n",
        "barcodes.tsv": "AAAC-1\nAAAG-1\n",
        "features.tsv": "E0\tG0\tGene Expression\nE1\tG1\tGene Expression\n",
    }
    for name, text in files.items():
        Path("x", f"{name}.gz").write_bytes(gzip.compress(text.encode()))


write(1)
before = sc.read_10x_mtx("x", cache=True).X.toarray().tolist()
write(50)
seen = {"cached": sc.read_10x_mtx("x", cache=True).X.toarray().tolist(), "read": sc.read_10x_mtx("x").X.toarray().tolist()}
print(before, seen)
assert before == [[1.0, 0.0], [0.0, 3.0]]
assert seen == {"cached": [[1.0, 0.0], [0.0, 3.0]], "read": [[50.0, 0.0], [0.0, 3.0]]}
PY
