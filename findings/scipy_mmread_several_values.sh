#!/usr/bin/env bash
# scipy.io.mmread reads the first value of a line and drops the others: files that hold a count per strategy in each line
# (older STARsolo wrote such) give one of them, unnoticed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --disable-pip-version-check -q scipy==1.17.1 numpy==2.4.6
cd "$folder"
"$folder/env/bin/python" -W ignore - <<'PY'
from pathlib import Path

from scipy.io import mmread

Path("several.mtx").write_text("%%MatrixMarket matrix coordinate real general\n2 2 2\n1 1 3 4 5\n2 2 6 7 8\n")
seen = mmread("several.mtx").toarray().tolist()
print(seen)
assert seen == [[3.0, 0.0], [0.0, 6.0]], "mmread says something now"
PY
