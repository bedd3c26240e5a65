"""Hydra options of the toy."""
