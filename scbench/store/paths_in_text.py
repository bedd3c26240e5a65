"""Folders of the machine that made a run have no place in what others read."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["without_folders"]

# A path of two parts and more, also below a home folder (~/) and after the scheme of a local URL (sqlite:////a/b).
_ABSOLUTE = re.compile(r"(?:(?<![\w./:~-])~?|(?<=://)/?)/[\w.+@~-]+(?:/[\w.+@~-]+)+|(?<![\w./:~-])~/[\w.+@-]+")


def without_folders(value: Any, n_kept: int = 1) -> Any:  # Any: whatever a record holds
    """Return a value of a record with the absolute paths in its texts cut to their last parts: ``.../runs``.

    Args:
        value: text, or lists and mappings of it; anything else is returned as it is.
        n_kept: parts of a path that stay.
    """
    if isinstance(value, str):
        return _ABSOLUTE.sub(lambda path: ".../" + "/".join(path[0].split("/")[1:][-n_kept:]), value)
    if isinstance(value, list | tuple):
        return [without_folders(one, n_kept) for one in value]
    if isinstance(value, dict):
        return {name: without_folders(one, n_kept) for name, one in value.items()}
    return value
