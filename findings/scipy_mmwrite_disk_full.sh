#!/usr/bin/env bash
# scipy.io.mmwrite says nothing when the disk takes no more: the file is cut and the call returns. numpy's tofile does
# the same with an array smaller than its buffer; with a larger one it and numpy.save raise an OSError without an
# errno, so that a handler that waits for ENOSPC or EFBIG misses it. The limit on a file's size stands for the full
# disk.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --disable-pip-version-check -q scipy==1.17.1 numpy==2.4.6
cd "$folder"
"$folder/env/bin/python" -W ignore - <<'PY'
import errno
import resource
import signal
from pathlib import Path

import numpy as np
from scipy.io import mmwrite
from scipy.sparse import csr_matrix

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
counts = np.arange(1.0, 10001.0)


def write(call, path, limit):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        call(path)
    except OSError as error:
        return f"errno {error.errno}", Path(path).stat().st_size
    return "no error", Path(path).stat().st_size


seen = {
    "mmwrite": write(lambda path: mmwrite(path, csr_matrix(counts.reshape(100, 100))), "counts.mtx", 20000),
    "small tofile": write(counts[:30].tofile, "small.bin", 100),
    "large tofile": write(counts.tofile, "large.bin", 20000),
    "save": write(lambda path: np.save(path, counts), "counts.npy", 20000),
    "savetxt": write(lambda path: np.savetxt(path, counts), "counts.txt", 20000),
}
print(seen)
assert seen == {
    "mmwrite": ("no error", 20000),
    "small tofile": ("no error", 100),
    "large tofile": ("errno None", 20000),
    "save": ("errno None", 20000),
    "savetxt": (f"errno {errno.EFBIG}", 20000),
}
PY
