"""What a user sees while runs go on: a live panel on a terminal, plain lines elsewhere. Both write to stderr."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.text import Text

from scbench.consoles import PlainTable, ProgressConsole, say
from scbench.run.plan import PlannedRun
from scbench.store.record import first_line, is_failure

__all__ = ["LiveDisplay", "PlainDisplay", "Tally", "make_display"]

_SHOW_AT_MOST = 16


class Tally:
    """Count what is done and guess how long the rest takes.

    Args:
        n_runs: runs of this command that have to be done.
        n_cached: runs that were in the store already.
    """

    def __init__(self, n_runs: int, n_cached: int) -> None:
        self.n_runs = n_runs
        self.n_cached = n_cached
        self.n_done = 0
        self.n_failed = 0
        self._started = time.monotonic()

    def count(self, record: Mapping[str, Any]) -> None:
        """Take a finished run into account."""
        self.n_done += 1
        self.n_failed += is_failure(record)

    def time_left(self) -> str:
        """Return the expected time to the end, or a question mark before the first run is done."""
        if not self.n_done:
            return "?"
        elapsed = time.monotonic() - self._started
        return short_time(elapsed / self.n_done * (self.n_runs - self.n_done))

    def summary(self) -> str:
        """Return one line: done, failed, cached, time left."""
        cached = f", {self.n_cached} from the store" if self.n_cached else ""
        return f"{self.n_done}/{self.n_runs} done, {self.n_failed} failed{cached}, {self.time_left()} left"


def short_time(seconds: float) -> str:
    """Return a time span as one reads it: 42 s, 3 min 20 s, 2 h 05 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def outcome(record: Mapping[str, Any]) -> str:
    """Return how a run ended in a few words."""
    seconds = record["seconds"]["total"] or 0.0
    if record["status"] != "ok":
        return f"{record['status']} after {short_time(seconds)}: {first_line(record['error']['message'])}"
    known = {name: record["metrics"].get(name) for name in ("acc", "ari")}
    scores = "".join(f", {name.upper()} {value:.1%}" for name, value in known.items() if value is not None)
    return f"ok in {seconds:.1f} s{scores}"


class PlainDisplay:
    """One line per finished run; for logs, pipes and terminals without control codes."""

    def __init__(self, console: Console, tally: Tally) -> None:
        self._console = console
        self._tally = tally

    def __enter__(self) -> PlainDisplay:
        """Nothing to set up."""
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to take down."""

    def started(self, run: PlannedRun, device: str) -> None:
        """Starts are not shown: twice as many lines say no more."""

    def progress(self, run: PlannedRun, epoch: int, values: Mapping[str, float]) -> None:
        """Epochs are not shown: they are in history.csv."""

    def ended(self, run: PlannedRun, record: Mapping[str, Any], *, will_retry: bool = False) -> None:
        """Write one line."""
        if will_retry:
            self._print_line(f"{run.label}: out of GPU memory; trying once more alone")
            return
        self._tally.count(record)
        self._print_line(f"[{self._tally.n_done}/{self._tally.n_runs}] {run.label}: {outcome(record)}")

    def stopping(self) -> None:
        """Say that Ctrl-C was understood."""
        self._print_line("stopping: ending the running runs (Ctrl-C again kills them at once)")

    def tick(self) -> None:
        """Lines are written when something happens only."""

    def _print_line(self, line: str) -> None:
        """Write one line as it is."""
        with suppress(OSError):  # a full disk behind stderr; the runs go on
            say(self._console, line)


class LiveDisplay:
    """A panel that is redrawn: overall progress, and the running runs with epoch and loss."""

    def __init__(self, console: Console, tally: Tally) -> None:
        self._tally = tally
        self._stopping = False
        self._running: dict[str, tuple[PlannedRun, str, float]] = {}
        self._latest: dict[str, str] = {}
        self._console = console
        self._live = Live(get_renderable=self._render, console=console, refresh_per_second=4, transient=True)

    def __enter__(self) -> LiveDisplay:
        """Start drawing."""
        self._live.__enter__()
        return self

    def __exit__(self, *details: Any) -> None:
        """Stop drawing and give the terminal back."""
        self._live.__exit__(*details)

    def started(self, run: PlannedRun, device: str) -> None:
        """Show a run."""
        self._running[run.run_id] = (run, device, time.monotonic())

    def progress(self, run: PlannedRun, epoch: int, values: Mapping[str, float]) -> None:
        """Show epoch and values."""
        shown = "  ".join(f"{name} {value:.4g}" for name, value in list(values.items())[:3])
        self._latest[run.run_id] = f"epoch {epoch}  {shown}"

    def ended(self, run: PlannedRun, record: Mapping[str, Any], *, will_retry: bool = False) -> None:
        """Take a run off the panel; failures stay readable above it."""
        self._running.pop(run.run_id, None)
        self._latest.pop(run.run_id, None)
        if not will_retry:
            self._tally.count(record)
        if record["status"] != "ok":
            again = " (trying once more alone)" if will_retry else ""
            say(self._console, f"{run.label}: {outcome(record)}{again}", "red")

    def stopping(self) -> None:
        """Show that Ctrl-C was understood."""
        self._stopping = True

    def tick(self) -> None:
        """The panel redraws itself."""

    def _render(self) -> Group:
        """Draw the panel."""
        head = PlainTable.grid(padding=(0, 1))
        bar = ProgressBar(total=max(1, self._tally.n_runs), completed=self._tally.n_done, width=30)
        head.add_row(bar, self._tally.summary())
        rows = PlainTable.grid(padding=(0, 2))
        for run, device, started in list(self._running.values())[:_SHOW_AT_MOST]:
            rows.add_row(
                run.config.name,
                run.dataset.name,
                f"seed {run.seed}",
                device,
                short_time(time.monotonic() - started),
                self._latest.get(run.run_id, ""),
            )
        lines: Sequence[Any] = [head, rows]
        if self._stopping:
            lines = [
                *lines,
                Text("stopping: ending the running runs (Ctrl-C again kills them at once)", style="yellow"),
            ]
        return Group(*lines)


def make_display(tally: Tally) -> LiveDisplay | PlainDisplay:
    """Return the display that suits stderr."""
    console = ProgressConsole()
    return (
        LiveDisplay(console, tally)
        if console.is_terminal and not console.is_dumb_terminal
        else PlainDisplay(console, tally)
    )
