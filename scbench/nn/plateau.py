"""When a training has nothing more to learn, told by its loss alone: the rule of ``budget=fast``."""

from __future__ import annotations

__all__ = ["Plateau"]

_WINDOW = 10
_LEAST_GAIN = 0.01


class Plateau:
    """Tell when a loss has stopped falling.

    With the mean losses l_1 ... l_t of the epochs of one phase and m(s) the mean of the ``window`` epochs up to s, the
    phase is over at the first t >= 2 window at which

        m(t - window) - m(t) <= least_gain (l_1 - m(t))

    that is, when the last window has brought at most the share ``least_gain`` of all that was gained since the first
    epoch. Neither the scale of the loss nor a constant in it matters, so one rule serves likelihoods, contrasts and
    reconstruction errors. A loss that never falls is on a plateau.

    Args:
        window: epochs that are averaged, at least 1.
        least_gain: share in [0, 1].

    Raises:
        ValueError: if an argument is out of range.
    """

    def __init__(self, window: int = _WINDOW, least_gain: float = _LEAST_GAIN) -> None:
        if window < 1:
            raise ValueError(f"window must be at least 1, got {window}")
        if not 0 <= least_gain <= 1:
            raise ValueError(f"least_gain must be in [0, 1], got {least_gain}")
        self.window = window
        self.least_gain = least_gain
        self._losses: list[float] = []

    def update(self, loss: float) -> bool:
        """Take the mean loss of the next epoch, a finite number; return whether the phase is over."""
        self._losses.append(loss)
        if len(self._losses) < 2 * self.window:
            return False
        last = sum(self._losses[-self.window :]) / self.window
        before = sum(self._losses[-2 * self.window : -self.window]) / self.window
        return before - last <= self.least_gain * max(self._losses[0] - last, 0.0)
