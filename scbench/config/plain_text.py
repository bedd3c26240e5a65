"""Keys whose value is a text of the user, a path or the name of a column: it is taken as the shell passes it.

Hydra's grammar refuses many legal names (``a=b.csv``, ``GSM1 (1).h5ad``, ``é``), reads others as something else
(``1e3``), and OmegaConf looks up ``${HOME}``. So such a value is put in quotes before they see it, unless it is there
already.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from hydra.core.override_parser.overrides_parser import create_functions

from scbench.config.literal import literal
from scbench.errors import ConfigError

__all__ = ["PLAIN_KEYS", "take_literally"]

_FILE_KEYS = ("dataset.path", "dataset.label_path")
PLAIN_KEYS = (*_FILE_KEYS, "store", "dataset.label", "dataset.matrix", "dataset.member", "dataset.modality")
_QUOTED = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_IS_QUOTED = re.compile(rf"\s*(?:{_QUOTED})", re.DOTALL)
_PART = re.compile(rf"\s*({_QUOTED}|[^,]*?)\s*,", re.DOTALL)
_CALL = re.compile(r"\s*([A-Za-z_]+)\s*\(.*\)\s*", re.DOTALL)


def take_literally(overrides: Iterable[str], *, is_sweep: bool) -> list[str]:
    """Return the overrides of a command line, the texts of ``PLAIN_KEYS`` in quotes for Hydra.

    What is in quotes already, ``null`` and nothing stay as they are. In a sweep a comma separates values, unless the
    whole is the name of a file, and ``glob(...)`` and its like keep their meaning; elsewhere a comma is part of the
    text.

    Args:
        overrides: as typed, without Hydra's flags.
        is_sweep: whether the command is a sweep.

    Raises:
        ConfigError: when several files are given without a sweep.
    """
    return [_taken(override, is_sweep) for override in overrides]


def _taken(override: str, is_sweep: bool) -> str:
    typed_key, equals, text = override.partition("=")
    key = typed_key.lstrip("+")
    if key not in PLAIN_KEYS or not equals:
        return override
    if key in (*_FILE_KEYS, "store") and _exists(text):
        return f"{typed_key}={_quoted(text)}"
    parts = _PART.findall(f"{text},")
    if is_sweep:
        if _is_call(text) or (len(parts) > 1 and not all(parts)):  # Hydra says that a value is missing
            return override
        return f"{typed_key}={','.join(map(_quoted, parts))}"
    if key in _FILE_KEYS and len(parts) > 1 and all(map(_exists, parts)):
        raise ConfigError(
            f"{override!r} names no file, but each of its {len(parts)} parts does; add -m to run on one after the other"
        )
    return f"{typed_key}={_quoted(text)}"


def _quoted(text: str) -> str:
    """Return a text as Hydra is given it."""
    stays = not text or text.strip().lower() == "null" or _IS_QUOTED.fullmatch(text)
    return text if stays else literal(text)


def _is_call(text: str) -> bool:
    """Return whether a value is a function of Hydra's grammar, such as ``choice(a,b)``."""
    call = _CALL.fullmatch(text)
    return call is not None and call[1] in create_functions().functions


def _exists(path: str) -> bool:
    return os.path.exists(os.path.expanduser(path))
