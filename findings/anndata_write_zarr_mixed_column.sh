#!/usr/bin/env bash
# An obs column of booleans (or numbers) with a None in it: write_h5ad refuses it, write_zarr writes it as text
# without a warning. What comes back are the strings True, False and None, all of them true.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --disable-pip-version-check -q anndata==0.12.19 'pandas<3' zarr==3.1.6
cd "$folder"
"$folder/env/bin/python" -W ignore - <<'PY'
import warnings

import anndata
import numpy as np
import pandas as pd

names = ["c1", "c2", "c3"]
data = anndata.AnnData(np.ones((3, 2), "float32"), obs=pd.DataFrame(index=names))
data.obs["kept"] = pd.Series([True, None, False], index=names, dtype=object)
try:
    data.write_h5ad("x.h5ad")
except TypeError as error:
    print("h5ad:", str(error).splitlines()[0])
else:
    raise AssertionError("write_h5ad takes the column now")
for version in (2, 3):
    anndata.settings.zarr_write_format = version
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        data.write_zarr(f"x{version}.zarr")
    said = [str(warning.message) for warning in said]
    seen = anndata.read_zarr(f"x{version}.zarr").obs["kept"].tolist()
    print(f"zarr {version}:", seen, said)
    assert seen == ["True", "None", "False"]
    assert not any("kept" in text or "None" in text for text in said)
PY
