"""Blocks that methods are built from; they take tensors, return tensors and know nothing of files."""
