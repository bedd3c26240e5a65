"""``python -m scbench.tune method=M dataset=D n_trials=50``: search the parameters of a method, without labels."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from scbench.errors import ConfigError
from scbench.names import unknown

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a search.

    Returns:
        0: the study has its trials and its result was evaluated; 1: stopped, no trial had a value, or a run of the
        evaluation failed; 2: the command or the configuration is wrong.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if {"-h", "--help"} & set(given):
        from scbench.tune.help import help_text

        sys.stdout.write(help_text())
        return 0
    if given[:1] == ["summary"]:
        return _summary(given[1:])
    from scbench.tune.command import tune

    return tune(given, ["scbench", "tune", *given])


def _summary(arguments: Sequence[str]) -> int:
    """Print one table of the studies in a folder."""
    from scbench.tune.comparison import read_comparisons, table_of

    folder = ""
    for argument in arguments:
        key, _, value = argument.partition("=")
        if key != "out":
            raise ConfigError(unknown("key", key, ("out",)))
        if not value or folder:
            raise ConfigError("out is given twice; leave one of them out" if folder else "out is empty; write out=DIR")
        folder = value
    sys.stdout.write(table_of(read_comparisons(Path(folder or "results/tune"))) + "\n")
    return 0


if __name__ == "__main__":
    from scbench.__main__ import console

    sys.argv[1:1] = ["tune"]  # errors, Ctrl-C and broken pipes are the same for all commands
    console()
