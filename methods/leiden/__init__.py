"""Control: Leiden communities of the neighbour graph."""
