"""Neighbour graphs of cells, their weights, and communities on them."""
