"""Imported once by the process that runs are forked from, so that no run pays for these imports again."""

from __future__ import annotations

import importlib
import logging
import os

import scbench.run.worker  # noqa: F401

__all__: list[str] = []

for _module in os.environ.get("SCBENCH_WARM_MODULES", "").split():
    try:
        importlib.import_module(_module)
    except (Exception, SystemExit):  # a broken method must fail in its own run, where it is recorded, not here
        logging.getLogger(__name__).debug("cannot import %s ahead", _module, exc_info=True)
