"""Runs on this machine: the queue over its devices, one process for each run, and the scores made outside of it."""
