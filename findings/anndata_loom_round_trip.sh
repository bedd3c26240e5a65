#!/usr/bin/env bash
# anndata writes and reads loom, and what comes back is not what was there: loompy drops the letters outside ASCII, so
# the types gamma-delta T and alpha-beta T (in Greek letters) are one; booleans are 0 and 1, which numpy takes for
# positions and not for a mask; a missing value is the text None; and the names of cells and genes are numbers,
# because read_loom looks for them under other names than write_loom writes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --disable-pip-version-check -q anndata==0.12.19 'pandas<3' loompy==3.0.8
cd "$folder"
"$folder/env/bin/python" -W ignore - <<'PY'
import anndata
import numpy as np
import pandas as pd

obs = pd.DataFrame(
    {
        "type": ["\u03b3\u03b4 T", "\u03b1\u03b2 T", "B"],
        "kept": [True, False, True],
        "age": pd.array([30, None, 40], dtype="Int64"),
    },
    index=["c1", "c2", "c3"],
)
data = anndata.AnnData(np.eye(3, 2, dtype="float32"), obs=obs, var=pd.DataFrame(index=["g1", "g2"]))
data.write_loom("x.loom")
back = anndata.io.read_loom("x.loom", sparse=False)
seen = {name: back.obs[name].tolist() for name in ("type", "kept", "age")}
seen = {name: [str(v) if isinstance(v, str) else v for v in values] for name, values in seen.items()}
print(seen, back.obs["kept"].dtype, back.obs_names.tolist(), back.var_names.tolist())
assert seen == {"type": [" T", " T", "B"], "kept": [1, 0, 1], "age": ["30", "None", "40"]}
assert back.obs["kept"].dtype == np.uint8
assert back.X[back.obs["kept"].to_numpy()].tolist() == [back.X[i].tolist() for i in (1, 0, 1)]
assert back.obs_names.tolist() == ["0", "1", "2"] and back.var_names.tolist() == ["0", "1"]
named = anndata.io.read_loom("x.loom", sparse=False, obs_names="obs_names", var_names="var_names")
assert named.obs_names.tolist() == ["c1", "c2", "c3"]  # the cure of the names
PY
