"""Datasets: registry, download and verification, one reader per file format, simulation, cache."""
