#!/usr/bin/env bash
# scipy.io.mmread reads matrix.mtx.gz, the name 10x uses, but mmwrite to that name writes matrix.mtx.gz.mtx, without
# compression: the next step that looks for matrix.mtx.gz finds none, or the old one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --disable-pip-version-check -q scipy==1.17.1 numpy==2.4.6
cd "$folder"
"$folder/env/bin/python" -W ignore - <<'PY'
from pathlib import Path

import numpy as np
from scipy.io import mmread, mmwrite
from scipy.sparse import csr_matrix

mmwrite("matrix.mtx.gz", csr_matrix(np.eye(2)))
seen = sorted(path.name for path in Path().glob("matrix*"))
print(seen, Path(seen[0]).read_bytes()[:14])
assert seen == ["matrix.mtx.gz.mtx"]
assert Path(seen[0]).read_bytes().startswith(b"%%MatrixMarket")
try:
    mmread("matrix.mtx.gz")
except OSError as error:
    print("mmread of the name that was written to:", type(error).__name__)
else:
    raise AssertionError("mmread finds what mmwrite wrote now")
PY
