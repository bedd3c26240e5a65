"""How long a call will take, from its own first epochs, shown while it works and said when it is long."""

from __future__ import annotations

import dataclasses
import math
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TextColumn

from scbench.consoles import ProgressConsole, say
from scbench.method import MethodConfig
from scbench.run.display import short_time

__all__ = ["PILOT_ABOVE", "TimeLeft", "n_epochs_of", "pilot_seconds", "watched"]

PILOT_ABOVE = 50_000  # cells up to which a method without epochs takes seconds
_PILOTS = (2_000, 8_000)

_LONG_SECONDS = 300.0
_EPOCHS_MEASURED = 3
_SECONDS_MEASURED = 2.0


def n_epochs_of(config: MethodConfig) -> int:
    """Return the most epochs that a method will log, over its phases; 0 for a method that has none.

    They are the fields called ``epochs`` and ``pretrain...epochs``: the shared terms of ``scbench.vocabulary``.
    """
    values = dataclasses.asdict(config)
    names = [name for name in values if name == "epochs" or (name.startswith("pretrain") and name.endswith("epochs"))]
    return sum(int(values[name] or 0) for name in names)


def pilot_seconds(fit: Callable[[int], object], n_cells: int, clock: Callable[[], float] = time.monotonic) -> float:
    """Return the seconds that a fit to all cells may take, from fits to 2 000 and 8 000 of them, by a power law.

    The exponent is kept between 1 and 2: no method here is faster than linear, or slower than all pairs of cells.

    Args:
        fit: to as many of the cells, chosen at random.
        n_cells: all of them, more than 8 000.
        clock: seconds from any start.
    """
    fit(_PILOTS[0])  # imports and the like
    times = []
    for n_of_them in _PILOTS:
        started = clock()
        fit(n_of_them)
        times.append(max(clock() - started, 1e-6))
    exponent = math.log(times[1] / times[0]) / math.log(_PILOTS[1] / _PILOTS[0])
    seconds: float = times[1] * (n_cells / _PILOTS[1]) ** min(max(exponent, 1.0), 2.0)
    return seconds


class TimeLeft:
    """Count epochs and runs, and warn once when the call will take more than five minutes.

    The estimate is the mean time of the epochs so far (at least three, and two seconds) times all epochs of all seeds;
    after the first seed, the mean time of the seeds. So it comes within the first seconds of a long call. It is too
    high where a method ends early, and too low by as much as its later phases have slower epochs than its first.

    Args:
        n_epochs: that one run logs at most; 0 where that is not known.
        n_seeds: runs of the call.
        show: is told of the share that is done, in [0, 1], and what to say beside it.
        clock: seconds from any start.
    """

    def __init__(
        self,
        n_epochs: int,
        n_seeds: int,
        show: Callable[[float, str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._n_epochs, self._n_seeds, self._show, self._clock = n_epochs, n_seeds, show, clock
        self._started = clock()
        self._n_logged = self._n_done = 0
        self._has_warned = False

    def epoch(self, _epoch: int, _values: dict[str, float]) -> None:
        """Take an epoch into account; it is what ``RunContext`` calls."""
        self._n_logged += 1
        elapsed = self._clock() - self._started
        n_logged = min(self._n_logged, self._n_epochs - 1)  # a last one may be logged apart
        share = (self._n_done + max(n_logged, 0) / max(self._n_epochs, 1)) / self._n_seeds
        if n_logged >= _EPOCHS_MEASURED and elapsed >= _SECONDS_MEASURED:
            self._tell(share, elapsed / share)

    def expect(self, seconds_of_a_run: float) -> None:
        """Take the time into account that each run is expected to take before any has begun."""
        self._tell(0.0, seconds_of_a_run * self._n_seeds, "by fits to 2 000 and 8 000 of the cells")

    def run_ended(self) -> None:
        """Take the end of a seed into account."""
        self._n_done += 1
        self._n_logged = 0
        if self._n_done < self._n_seeds:
            share = self._n_done / self._n_seeds
            self._tell(share, (self._clock() - self._started) / share)

    def _tell(self, share: float, whole_seconds: float, by: str = "") -> None:
        left = whole_seconds * (1 - share)
        of_seeds = f"seed {self._n_done + 1} of {self._n_seeds}, " if self._n_seeds > 1 else ""
        self._show(share, f"{of_seeds}about {short_time(left)} left")
        if whole_seconds > _LONG_SECONDS and not self._has_warned:
            self._has_warned = True
            by = by or f"by its first {short_time(whole_seconds * share)}"
            warnings.warn(
                f"this will take about {short_time(whole_seconds)} ({by}; it may be a third of that or twice as much)",
                stacklevel=2,
            )


@contextmanager
def watched(name: str, config: MethodConfig, n_seeds: int, where: str, *, progress: bool) -> Iterator[TimeLeft]:
    """Yield the :class:`TimeLeft` of a call; with ``progress``, say where the values are from and draw a bar on stderr.

    The bar is drawn on a terminal only.
    """
    console = ProgressConsole()
    if progress:
        say(console, f"{name}: {where}")
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[said]}"),
        console=console,
        transient=True,
    )
    with bar if progress and console.is_terminal else _nothing():
        task = bar.add_task(name, total=1.0, said="")
        yield TimeLeft(n_epochs_of(config), n_seeds, lambda share, said: bar.update(task, completed=share, said=said))


@contextmanager
def _nothing() -> Iterator[None]:
    yield
