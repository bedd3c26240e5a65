"""``python -m scbench.compare``; in Python ``scbench.compare`` is a function, which this does not replace."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    from scbench.own_cells.comparison.command import main

    sys.exit(main())

from scbench.own_cells.compare import compare

# What is imported becomes an attribute of the package under this name.
sys.modules[__name__] = compare  # type: ignore[assignment]
