"""What commands share that take plain arguments or key=value pairs: a mistake is one line, as everywhere."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn

from scbench.errors import ConfigError

__all__ = ["Parser", "key_values"]


class Parser(argparse.ArgumentParser):
    """An argument parser that raises instead of leaving the program."""

    def error(self, message: str) -> NoReturn:
        """Raise the mistake, which the command shows in one line.

        Raises:
            ConfigError: always.
        """
        raise ConfigError(f"{message}; see {self.prog} --help")


def key_values(arguments: Sequence[str], command: str) -> dict[str, str]:
    """Return the values of ``key=value`` arguments by key, in their order; a value may be empty.

    Args:
        arguments: of the command line.
        command: the module that has a ``--help``, for messages.

    Raises:
        ConfigError: an argument that is no pair, or a key given twice.
    """
    found: dict[str, str] = {}
    for argument in arguments:
        key, is_pair, value = argument.partition("=")
        if not is_pair:
            raise ConfigError(f"{argument!r} is no key=value; see python -m {command} --help")
        if key in found:
            raise ConfigError(f"{key} is given twice; give it once")
        found[key] = value
    return found
