"""Control: Louvain communities of the neighbour graph."""
