"""What a command says on stderr while it runs: warnings with their level, plain lines without, each of them once."""

from __future__ import annotations

import logging
import sys
from typing import Any

from scbench.escape import one_line, shown_lines

__all__ = ["LineFormat", "complain", "show_messages"]

_PLAIN = ("scbench.renames", "scbench.run.open_datasets")  # whose INFO is for the user: new names, what was read


class LineFormat(logging.Formatter):
    """A message in one line; what it quotes from files and records cannot act on a terminal."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the name is logging's
        """Return the line of one record."""
        return one_line(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802  # Any: as in logging
        """Return the traceback that is logged with it."""
        return shown_lines(super().formatException(ei))


class _WithLevel(LineFormat):
    """``WARNING: text``; INFO is the text alone."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the name is logging's
        """Return the line of one record."""
        text = super().formatMessage(record)
        return text if record.levelno == logging.INFO else f"{record.levelname}: {text}"


class _Once(logging.Filter):
    """Let each text through once: a search opens its dataset several times and would say the same each time."""

    def __init__(self) -> None:
        super().__init__()
        self._said: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether this text is new."""
        text = record.getMessage()
        is_new = text not in self._said
        self._said.add(text)
        return is_new


def complain(error: object) -> None:
    """Write on stderr, in one line, why a command ends."""
    sys.stderr.write(f"scbench: {one_line(str(error).strip())}\n")


def show_messages() -> None:
    """Send what is logged to stderr for this process, unless somebody has taken care of it already."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_WithLevel())
    handler.addFilter(_Once())
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # each retry of a download is not news; its failure is
    for name in _PLAIN:
        logging.getLogger(name).setLevel(logging.INFO)
