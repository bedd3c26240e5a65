"""Two builds of scbench side by side: ``make bench compare=<commit>``."""
