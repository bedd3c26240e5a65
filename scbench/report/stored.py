"""Arrays that a run stored, some of which may be missing or damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np

__all__ = ["stored_array"]


def stored_array(path: Path) -> np.ndarray | None:
    """Return a stored array, or None when it cannot be read."""
    try:
        return np.asarray(np.load(path, allow_pickle=False))
    except (OSError, ValueError, EOFError):
        return None
