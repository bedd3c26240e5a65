#!/usr/bin/env bash
# anndata.io.read_csv takes names that are numbers for values. A header of Entrez gene ids becomes a cell, its ids the
# counts, and genes are called 0, 1, ...; cells called 1, 2, 3 (the index of pandas, the row names of R) become a gene that
# orders the cells.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --disable-pip-version-check -q anndata==0.12.19 'pandas<3'
cd "$folder"
"$folder/env/bin/python" -W ignore - <<'PY'
from pathlib import Path

from anndata.io import read_csv

Path("entrez.csv").write_text("cell,7157,672\nc1,1,2\nc2,3,4\n")
seen = read_csv("entrez.csv")
print(seen.obs_names.tolist(), seen.var_names.tolist(), seen.X.tolist())
assert seen.obs_names.tolist() == ["cell", "c1", "c2"]
assert seen.var_names.tolist() == ["0", "1"]
assert seen.X.tolist() == [[7157.0, 672.0], [1.0, 2.0], [3.0, 4.0]]
Path("numbered.csv").write_text(",g1,g2\n1,0,2\n2,1,0\n3,5,5\n")
seen = read_csv("numbered.csv")
print(seen.obs_names.tolist(), seen.var_names.tolist(), seen.X.tolist())
assert seen.var_names.tolist() == ["", "g1", "g2"]
assert seen.obs_names.tolist() == ["0", "1", "2"]
assert seen.X[:, 0].tolist() == [1.0, 2.0, 3.0]
assert read_csv("numbered.csv", first_column_names=True).var_names.tolist() == ["g1", "g2"]  # the cure of the second
PY
