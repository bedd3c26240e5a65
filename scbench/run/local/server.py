"""The process that runs are forked from, by its number: it imports this module, and all that is forked knows it."""

from __future__ import annotations

import os

__all__ = ["SERVER"]

SERVER = os.getpid()
