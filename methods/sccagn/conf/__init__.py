"""Hydra options of this method."""
