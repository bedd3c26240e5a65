"""``load`` and ``Store`` under their earlier name: scripts may import them from here or from :mod:`scbench.store`."""

from __future__ import annotations

from scbench.store.store import Store, load

__all__ = ["Store", "load"]
