from __future__ import annotations

import io
from typing import Any, cast

import pytest
from rich.console import Console

from scbench.run.display import LiveDisplay, PlainDisplay, Tally, outcome, short_time
from scbench.run.plan import PlannedRun


class FakeRun:
    run_id = "d/m/k"
    label = "m on d, seed 3"
    seed = 3
    config = type("C", (), {"name": "m"})
    dataset = type("D", (), {"name": "d"})


RUN = cast(PlannedRun, FakeRun())


def record(status: str = "ok", message: str = "") -> dict[str, Any]:
    return {
        "status": status,
        "seconds": {"total": 1.25},
        "metrics": {"acc": 0.5, "ari": 0.25},
        "error": {"message": message},
    }


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59, "59 s"), (61, "1 min 01 s"), (3599, "59 min 59 s"), (7500, "2 h 05 min")]
)
def test_times_read_well(seconds: float, text: str) -> None:
    assert short_time(seconds) == text


def test_outcomes_are_one_line() -> None:
    assert outcome(record()) == "ok in 1.2 s, ACC 50.0%, ARI 25.0%"
    assert outcome(record("error", "first\nsecond")) == "error after 1 s: first"
    assert outcome({**record(), "metrics": {"acc": None, "ari": None}}) == "ok in 1.2 s"


def test_plain_lines_count_runs_and_say_why_one_failed() -> None:
    out = io.StringIO()
    with PlainDisplay(Console(file=out, width=40), Tally(2, 1)) as display:
        display.started(RUN, "cpu")
        display.progress(RUN, 1, {"loss": 1.0})
        display.ended(RUN, record())
        display.ended(RUN, record("oom", "too [big]"), will_retry=True)
        display.ended(RUN, record("oom", "too [big]"))
        display.stopping()
        display.tick()
    assert out.getvalue().splitlines() == [
        "[1/2] m on d, seed 3: ok in 1.2 s, ACC 50.0%, ARI 25.0%",
        "m on d, seed 3: out of GPU memory; trying once more alone",
        "[2/2] m on d, seed 3: oom after 1 s: too [big]",
        "stopping: ending the running runs (Ctrl-C again kills them at once)",
    ]


def test_the_live_panel_shows_progress_and_keeps_failures() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=120, color_system=None)
    with LiveDisplay(console, Tally(3, 0)) as display:
        display.started(RUN, "cuda:1")
        display.progress(RUN, 12, {"loss": 0.125})
        console.print(display._render())
        display.stopping()
        console.print(display._render())
        display.ended(RUN, record("diverged", "loss is not finite"))
    text = out.getvalue()
    for word in ("0/3 done, 0 failed", "cuda:1", "seed 3", "epoch 12", "loss 0.125", "stopping"):
        assert word in text
    assert "m on d, seed 3: diverged after 1 s: loss is not finite" in text


class MarkedRun(FakeRun):
    label = "[red]m\x1b[31m on d"
    config = type("C", (), {"name": "[red]m\x1b[31m"})
    dataset = type("D", (), {"name": "d[/x]"})


def test_names_and_messages_are_text_on_a_terminal() -> None:
    out = io.StringIO()
    console = Console(file=out, width=120, force_terminal=True, color_system=None)
    run = cast(PlannedRun, MarkedRun())
    with LiveDisplay(console, Tally(2, 0)) as live:
        live.started(run, "cpu[/y]")
        live.progress(run, 3, {"[bold]\x1b[1m": 0.25})
        console.print(live._render())
        live.ended(run, record("error", "a\x1b[31m [/z]\x9b"))
    shown = out.getvalue()
    assert r"[red]m\x1b[31m  d[/x]  seed 3  cpu[/y]" in shown
    assert r"epoch 3  [bold]\x1b[1m 0.25" in shown
    assert r"[red]m\x1b[31m on d: error after 1 s: a\x1b[31m [/z]\x9b" in shown
    assert "\x1b[31m" not in shown
