#!/usr/bin/env bash
# igraph makes another graph of a sparse matrix than of the same one dense. A directed kNN graph: dense is refused as
# not symmetric, sparse silently keeps the larger of the two weights. A zero that is stored (the distance of a copy)
# is an edge of weight 0. Of whole numbers, loops="twice" halves a loop of 5 to 2.5, sparse to 2.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --disable-pip-version-check -q igraph==1.0.0 scipy==1.17.1 numpy==2.4.6
cd "$folder"
"$folder/env/bin/python" -W ignore - <<'PY'
import igraph
import numpy as np
from scipy.sparse import csr_matrix


def edges(matrix, **options):
    try:
        graph = igraph.Graph.Weighted_Adjacency(matrix, **options)
    except igraph.InternalError:
        return "refused"
    return [(*edge.tuple, float(edge["weight"])) for edge in graph.es]


directed = np.array([[0, 1, 0], [3, 0, 2], [0, 2, 0]])
loop = np.array([[5, 1], [1, 0]])
zero = csr_matrix(([0.0, 0.0, 2.0, 2.0], ([0, 1, 1, 2], [1, 0, 2, 1])), shape=(3, 3))
seen = {
    name: [edges(matrix.toarray(), **options), edges(matrix, **options)]
    for name, matrix, options in (
        ("directed", csr_matrix(directed), {"mode": "undirected"}),
        ("stored zero", zero, {"mode": "undirected"}),
        ("loop", csr_matrix(loop), {"mode": "undirected", "loops": "twice"}),
    )
}
print(seen)
assert seen["directed"] == ["refused", [(0, 1, 3.0), (1, 2, 2.0)]]
assert seen["stored zero"] == [[(1, 2, 2.0)], [(0, 1, 0.0), (1, 2, 2.0)]]
assert seen["loop"] == [[(0, 0, 2.5), (0, 1, 1.0)], [(0, 0, 2.0), (0, 1, 1.0)]]
PY
