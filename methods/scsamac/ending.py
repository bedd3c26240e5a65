"""When a phase of training ends before its epochs: the plateau of its total loss, with ``budget=fast``."""

from __future__ import annotations

from collections.abc import Mapping

from scbench.nn.plateau import Plateau

__all__ = ["Ending"]


class Ending:
    """Tell after each epoch of one phase whether its total loss has stopped falling.

    Args:
        budget: "paper", which never ends a phase, or "fast".
        weights: of the terms in the total loss.

    Attributes:
        reason: "plateau" once it has; empty before.
    """

    def __init__(self, budget: str, weights: Mapping[str, float]) -> None:
        self.reason = ""
        self._weights = weights
        self._plateau = Plateau() if budget == "fast" else None

    def is_reached(self, terms: Mapping[str, float]) -> bool:
        """Return whether the phase is over.

        Args:
            terms: unweighted means of the epoch, by name; one without a weight counts for nothing.
        """
        if self._plateau is None:
            return False
        total = sum(self._weights.get(name, 0.0) * value for name, value in terms.items())
        if self._plateau.update(total):
            self.reason = "plateau"
        return bool(self.reason)
