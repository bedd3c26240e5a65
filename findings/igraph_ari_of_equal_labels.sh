#!/usr/bin/env bash
# igraph's adjusted Rand index of two equal labellings is nan when these have one cluster, or a cluster for each cell:
# scikit-learn gives 1. A mean over runs in which a method found one cluster is nan.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --disable-pip-version-check -q igraph==1.0.0 scikit-learn==1.9.1
cd "$folder"
"$folder/env/bin/python" -W ignore - <<'PY'
import math

from igraph import compare_communities
from sklearn.metrics import adjusted_rand_score

for labels in ([0, 0, 0, 0], [0, 1, 2, 3], [0, 0, 1, 1]):
    seen = compare_communities(labels, labels, method="adjusted_rand")
    print(labels, "igraph", seen, "scikit-learn", adjusted_rand_score(labels, labels))
    assert adjusted_rand_score(labels, labels) == 1
    assert seen == 1 if labels == [0, 0, 1, 1] else math.isnan(seen)
PY
