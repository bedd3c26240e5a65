"""Run a command and tell the processor time of all its processes, those included that outlive it.

``python -P process_time.py RESULT COMMAND ...``: writes JSON to the file RESULT and ends with the command's status.
Processes whose parent has ended come to this one (``PR_SET_CHILD_SUBREAPER`` of Linux), which waits for them, so that
the server that runs are forked from is counted with all that was forked from it. It imports nothing of scbench: that may
be another build's. On a system without that call, what outlives the command is not counted.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

_CHILD_SUBREAPER = 36  # of prctl(2)


def main(result: str, command: list[str]) -> int:
    """Run it, wait for all, and write what it took."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_CHILD_SUBREAPER, 1, 0, 0, 0)
    started = time.perf_counter()
    status = subprocess.Popen(command).wait()
    wall = time.perf_counter() - started
    with suppress(ChildProcessError):
        while True:
            os.wait()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    taken = {"cpu_seconds": used.ru_utime + used.ru_stime, "wall_seconds": wall}
    Path(result).write_text(json.dumps(taken))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
