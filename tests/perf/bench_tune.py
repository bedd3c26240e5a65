"""What a search costs beyond the fits of its trials."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import optuna
from measuring import measure, show

__all__ = ["figures"]

N_TRIALS = 20


def figures() -> None:
    """Print the seconds of a trial outside the clock of its run: one slot, so that trials follow one another."""
    with tempfile.TemporaryDirectory() as folder:
        measure(
            "-m", "scbench.tune", "method=leiden", "dataset=pbmc68k_reduced", f"n_trials={N_TRIALS}", "evaluate=false",
            "engine.cpu_slots=1", f"out={folder}", "store=STORE",
        )  # fmt: skip
        (database,) = Path(folder).glob("*/study.db")
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        study = optuna.load_study(study_name=None, storage=f"sqlite:///{database}")
        trials = [trial for trial in study.trials if trial.datetime_start and trial.datetime_complete]
        # From the first end to the last: what is made once, such as the space that labels are judged in, is left out.
        ends = sorted(trial.datetime_complete for trial in trials if trial.datetime_complete)
        paths = sorted(database.parent.glob("runs/*/*/*/record.json"), key=lambda path: path.stat().st_mtime)
        inside = sum(json.loads(path.read_text())["seconds"]["total"] for path in paths[1:])
        outside = ((ends[-1] - ends[0]).total_seconds() - inside) / (len(ends) - 1)
        show(
            f"leiden on pbmc68k_reduced, {len(ends)} trials",
            f"{inside / (len(ends) - 1):.2f} s of run and {outside:.2f} s of everything else in a trial",
        )
