"""How long each phase of the training lasts."""

from __future__ import annotations

from collections.abc import Mapping

from scbench.nn.plateau import Plateau

__all__ = ["Phase"]


class Phase:
    """One phase of the training: the epochs that it has run, and why it ended.

    Args:
        budget: "paper" for all epochs that are set, "fast" to end at a plateau of the total loss.

    Attributes:
        epochs: run so far.
        stop_reason: "epochs" or "plateau".
    """

    def __init__(self, budget: str) -> None:
        self._plateau = Plateau() if budget == "fast" else None
        self.epochs = 0
        self.stop_reason = "epochs"

    def is_over(self, terms: Mapping[str, float]) -> bool:
        """Take the weighted terms of the next epoch's loss; return whether nothing more is learnt."""
        self.epochs += 1
        if self._plateau is not None and self._plateau.update(sum(terms.values())):
            self.stop_reason = "plateau"
            return True
        return False
