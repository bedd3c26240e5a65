"""Functions for people with their own cells, each in a file of its name; ``scbench.<name>`` is the function itself."""
