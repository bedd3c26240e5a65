"""What commands under way say about themselves, in small files of the store; read here, written by the commands."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scbench.whole_file import is_alive

__all__ = ["FOLDER", "sweeps"]

_LOG = logging.getLogger(__name__)

FOLDER = ".running"

_HEARTBEAT_SECONDS = 10.0


def sweeps(root: Path) -> Iterator[dict[str, Any]]:
    """Yield what the commands under way say about themselves, the first started first.

    Files of commands that were killed are among them: ``is_alive`` is False where that can be told (on this machine),
    and ``updated_at`` is old elsewhere.
    """
    found = []
    for path in sorted((root / FOLDER).glob("[!.]*")):
        try:
            state = json.loads(path.read_text(encoding="utf-8"))
            found.append((float(state["started_at"]), state))
        except (OSError, ValueError, KeyError, TypeError) as error:  # removed meanwhile, or not ours
            _LOG.debug("%s is left out: %s", path, error)
    for _, state in sorted(found, key=lambda pair: pair[0]):
        yield state | {"is_alive": state["host"] != socket.gethostname() or is_alive(state["pid"])}
