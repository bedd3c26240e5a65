"""scbench: a benchmark of single-cell clustering that labs can believe."""

__all__ = ["__version__"]
__version__ = "0.1.0"
