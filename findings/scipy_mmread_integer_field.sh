#!/usr/bin/env bash
# scipy.io.mmread takes the header's word: in a file of field integer (some aligners share reads of several genes out and
# keep that header) a fraction loses what is behind the point, and 1e+05 is 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --disable-pip-version-check -q scipy==1.17.1 numpy==2.4.6
cd "$folder"
"$folder/env/bin/python" -W ignore - <<'PY'
from pathlib import Path

from scipy.io import mmread

head = "%%MatrixMarket matrix coordinate {} general\n2 2 3\n"
body = "1 1 2.5\n2 1 1e+05\n2 2 7\n"
Path("integer.mtx").write_text(head.format("integer") + body)
Path("real.mtx").write_text(head.format("real") + body)
seen = {field: mmread(f"{field}.mtx").toarray().tolist() for field in ("integer", "real")}
print(seen)
assert seen["real"] == [[2.5, 0.0], [100000.0, 7.0]]
assert seen["integer"] == [[2, 0], [1, 7]], "mmread reads or refuses fractions now"
PY
