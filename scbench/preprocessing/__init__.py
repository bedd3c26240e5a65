"""Counts made ready for a method: sparse until a step needs a matrix without zeros."""
