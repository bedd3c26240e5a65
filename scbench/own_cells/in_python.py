"""Messages about keys of the command line, said as arguments of a call in Python."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from scbench.errors import ScbenchError

__all__ = ["in_python", "speaking_python"]

_KEY = re.compile(r"\b(?:dataset|method)\.(?P<name>[a-z]\w*)(?:=(?P<value>[\w.+-]+))?")
_OTHER_NAMES = {"matrix": "layer"}
_NUMBER = re.compile(r"[-+]?\d[\d.e+-]*")
_CONSTANTS = {"true": "True", "false": "False", "null": "None"}


def in_python(text: str) -> str:
    """Return a message with ``values="counts"`` in place of ``dataset.values=counts``, and the like."""

    def argument(found: re.Match[str]) -> str:
        name, value = _OTHER_NAMES.get(found["name"], found["name"]), found["value"]
        if value is None:
            return name
        dots = value[len(value.rstrip(".")) :]  # the end of a sentence
        value = value.rstrip(".")
        if not value:
            return f"{name}={dots}"
        is_plain = _NUMBER.fullmatch(value) or value in _CONSTANTS
        return f"{name}={_CONSTANTS.get(value, value)}{dots}" if is_plain else f'{name}="{value}"{dots}'

    return _KEY.sub(argument, text)


@contextmanager
def speaking_python() -> Iterator[None]:
    """Say a mistake that the block raises in the words of Python."""
    try:
        yield
    except ScbenchError as error:
        said = in_python(str(error))
        if said == str(error):
            raise
        raise type(error)(said) from error
