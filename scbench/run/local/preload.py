"""Imported once by the process that runs are forked from, so that no run pays for these imports again.

Only scbench's own methods and the libraries are imported here. Whatever a foreign package does when it is imported (set
torch's default dtype, replace a function of scbench), it does in the processes of its own runs.
"""

from __future__ import annotations

import importlib
import logging
import os

import scbench.run.local.guard
import scbench.run.local.one_run
import scbench.run.local.scorer
import scbench.run.local.worker  # noqa: F401
from scbench.run.local.orphans import become_server

if "SCBENCH_WARM_MODULES" in os.environ:
    become_server()
for _module in os.environ.get("SCBENCH_WARM_MODULES", "").split():
    try:
        importlib.import_module(_module)
    except (Exception, SystemExit):  # a broken method must fail in its own run, where it is recorded, not here
        logging.getLogger(__name__).debug("cannot import %s ahead", _module, exc_info=True)
