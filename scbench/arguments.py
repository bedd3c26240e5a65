"""The parser of commands that take plain arguments: a mistake is one line, as everywhere."""

from __future__ import annotations

import argparse
from typing import NoReturn

from scbench.errors import ConfigError

__all__ = ["Parser"]


class Parser(argparse.ArgumentParser):
    """An argument parser that raises instead of leaving the program."""

    def error(self, message: str) -> NoReturn:
        """Raise the mistake, which the command shows in one line.

        Raises:
            ConfigError: always.
        """
        raise ConfigError(f"{message}; see {self.prog} --help")
