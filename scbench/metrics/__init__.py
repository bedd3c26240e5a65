"""Scores of a partition against annotated types."""

from scbench.metrics.external import matching, score

__all__ = ["matching", "score"]
