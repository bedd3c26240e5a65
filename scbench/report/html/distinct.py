"""Lists in which equal values stand once, so that thousands of runs with the same parameters stay small."""

from __future__ import annotations

from typing import Any

from scbench.store.record import canonical_json
from scbench.store.store import json_ready

__all__ = ["Distinct"]


class Distinct:
    """Collects JSON values (``Any``: of unknown shape) and gives each different one a position.

    Attributes:
        values: the different values, in the order in which they came.
    """

    def __init__(self, at_most: int | None = None) -> None:
        """Start an empty list.

        Args:
            at_most: letters of JSON to hold; a new value beyond them is not kept. None for no limit.
        """
        self.values: list[Any] = []
        self._places: dict[str, int] = {}
        self._left = at_most

    def place(self, value: Any) -> int | None:
        """Return the position of a value; None for an empty one, and for one that there is no room for."""
        if not value:
            return None
        ready = json_ready(value)
        text = canonical_json(ready)
        if text not in self._places:
            if self._left is not None:
                if len(text) > self._left:
                    return None
                self._left -= len(text)
            self._places[text] = len(self.values)
            self.values.append(ready)
        return self._places[text]
