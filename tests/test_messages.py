from __future__ import annotations

import logging
import subprocess
import sys

import pytest

from scbench.errors import ConfigError
from scbench.messages import LineFormat, complain

CODE = """
import logging
from scbench.messages import show_messages
show_messages()
show_messages()
for _ in range(2):
    logging.getLogger("scbench.data").warning("left %s out", "x")
    logging.getLogger("scbench.run.open_datasets").info("120 cells")
    logging.getLogger("scbench.other").info("not for the user")
"""


def test_each_line_is_said_once_and_plain_lines_have_no_level() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines() == ["WARNING: left x out", "120 cells"]
    assert done.stdout == ""


def test_what_is_quoted_cannot_act_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise ValueError("b\x1b[31m\nc")
    except ValueError:
        caught = sys.exc_info()
    record = logging.LogRecord("scbench", logging.WARNING, "", 0, "left %s\nout", ("a\x1b[31m",), caught)
    first, *rest = LineFormat().format(record).splitlines()
    assert first == r"left a\x1b[31m out"
    assert rest[0] == "Traceback (most recent call last):"
    assert rest[-2:] == [r"ValueError: b\x1b[31m", "c"]
    complain(ConfigError("no file 'a\x1b[31m'\n  here\n"))
    assert capsys.readouterr().err == "scbench: no file 'a\\x1b[31m' here\n"
