"""Which method for my cells: which can run, how long, and how they ranked on sets of about that size."""
