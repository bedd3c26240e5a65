"""The text of ``python -m scbench.tune --help``."""

from __future__ import annotations

import dataclasses

from scbench.tune.objectives import OBJECTIVES
from scbench.tune.options import TuneOptions

__all__ = ["help_text"]

_USAGE = """\
Search the parameters of a method with Optuna, without labels.

  python -m scbench.tune method=M dataset=D n_trials=50       search, then default against tuned on fresh seeds
  ... dataset=A,B,C                                           the mean rank over several datasets
  ... search.lr=[1e-5,1e-3] search.temperature=0.5            another range; a value that is held
  ... search.alpha=default search.k={low:5,high:50,log:true}  not searched; a range in full
  ... --dry-run                                               show what would be searched
  python -m scbench.tune summary out=results/tune             default against tuned of all studies there, one table

The same command goes on where it stopped. Processes that share out= share a study, so any number of them may be
started with the same command, on one machine or many; engine=slurm workers=8 has them started by SLURM. All other
keys are those of python -m scbench: seeds= are the fresh seeds of the evaluation, store= is where its runs are kept;
the trials' own runs are in the study's folder.

KEYS (key=value)
"""

_KEYS = {
    "n_trials": "trials in all; a larger number continues a study",
    "objective": "what is optimised, see below (default modularity)",
    "trial_seeds": "seeds of each trial: how many (from 1000 on), or a list (default 1, or 3 for stability)",
    "subsample_share": "share of the cells in each fit of objective=stability_subsamples (default 0.8)",
    "sampler_seed": "seed of the sampler (TPE)",
    "pruner": "auto, median, hyperband, none: giving up poor trials while they train",
    "storage": "auto (sqlite; journal with engine=slurm), sqlite, journal, or a URL: postgresql://user@host/base",
    "workers": "tasks at a time with engine=slurm, each with its own slots (0 = 4)",
    "study": "name of the study (default: made from what is searched)",
    "out": "folder of the studies",
    "leave_one_out": "search on all datasets but one and evaluate on that one, for each in turn",
    "evaluate": "run defaults and result on fresh seeds at the end",
}


def help_text() -> str:
    """Return the whole help page."""
    lines = [_USAGE]
    for field in dataclasses.fields(TuneOptions):
        if field.name in _KEYS:
            default = "" if field.default in (None, "") else str(field.default)
            default = default.lower() if isinstance(field.default, bool) else default
            lines.append(f"  {field.name + '=' + default:<24} {_KEYS[field.name]}\n")
    lines.append("\nOBJECTIVES (those with labels are upper bounds: they warn, and never enter a comparison)\n")
    lines += [f"  {objective.name:<24} {objective.what}\n" for objective in OBJECTIVES.values()]
    lines.append("\nExit status: 0 done; 1 stopped, no trial had a value, or a run failed; 2 the command is wrong.\n")
    return "".join(lines)
