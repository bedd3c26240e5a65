"""Unknown names, answered with the nearest known one."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable

from scbench.errors import ConfigError

__all__ = ["check_choice", "nearest", "unknown"]

_LIST_AT_MOST = 12


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that looks most like ``name``, or None when none comes close."""
    pool = {candidate.lower(): candidate for candidate in known}
    lowered = name.lower()
    close = difflib.get_close_matches(lowered, pool, n=1, cutoff=0.6)
    if close:
        return pool[close[0]]
    parts = [candidate for key, candidate in pool.items() if len(lowered) >= 3 and lowered in key]
    return min(parts, key=len) if parts else None


def unknown(kind: str, name: str, known: Collection[str]) -> str:
    """Return the one-line message for an unknown ``kind`` called ``name``.

    The nearest known name is suggested; all are listed when they are few.
    """
    close = nearest(name, known)
    hint = f" Did you mean {close!r}?" if close else ""
    listed = sorted(known)
    if len(listed) <= _LIST_AT_MOST:
        hint += f" Known: {', '.join(listed)}." if listed else ""
    elif not close:
        hint += f" {len(listed)} are known; 'python -m scbench --help' lists them."
    return f"unknown {kind} {name!r}.{hint}"


def check_choice(kind: str, value: str, choices: Collection[str]) -> str:
    """Return ``value`` when it is one of ``choices``.

    Raises:
        ConfigError: otherwise; the message names the nearest choice.
    """
    if value not in choices:
        raise ConfigError(unknown(kind, value, choices))
    return value
