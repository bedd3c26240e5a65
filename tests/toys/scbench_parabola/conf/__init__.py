"""Hydra options of the GPU toy."""
