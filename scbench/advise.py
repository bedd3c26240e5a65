"""``python -m scbench.advise``; the command itself is ``scbench.own_cells.advice.command``."""

from __future__ import annotations

import sys

from scbench.own_cells.advice.command import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
