from __future__ import annotations

import subprocess
import sys

CODE = """
import logging
from scbench.messages import show_messages
show_messages()
show_messages()
for _ in range(2):
    logging.getLogger("scbench.data").warning("left %s out", "x")
    logging.getLogger("scbench.run.opening").info("120 cells")
    logging.getLogger("scbench.other").info("not for the user")
"""


def test_each_line_is_said_once_and_plain_lines_have_no_level() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines() == ["WARNING: left x out", "120 cells"]
    assert done.stdout == ""
