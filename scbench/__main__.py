"""``python -m scbench`` and the console script ``scbench``: run methods, or hand over to another command."""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Sequence

from scbench.errors import ScbenchError

__all__ = ["console", "main"]

# Commands that are modules of their own: python -m scbench.<name>, or scbench <name>.
_COMMANDS = {
    "datasets": "scbench.datasets",
    "doctor": "scbench.doctor",
    "report": "scbench.report.__main__",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns:
        0: all runs ok; 1: at least one run failed; 2: the command or the configuration is wrong.
    """
    args = list(sys.argv[1:] if arguments is None else arguments)
    logging.basicConfig(format="%(levelname)s: %(message)s", level=logging.WARNING, stream=sys.stderr)
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # each retry of a download is not news; its failure is
    if args and args[0] == "run":
        args = args[1:]
    elif args and args[0] in _COMMANDS:
        return int(importlib.import_module(_COMMANDS[args[0]]).main(args[1:]))
    if {"-h", "--help"} & set(args):
        from scbench.config.help import help_text

        sys.stdout.write(help_text())
        return 0
    if args == ["--version"]:
        from scbench import __version__

        sys.stdout.write(f"scbench {__version__}\n")
        return 0
    try:
        from scbench.config.compose import run_with_config

        return run_with_config(args, _run)
    except ScbenchError as error:
        sys.stderr.write(f"scbench: {error}\n")
        return 2


def _run(configs: list) -> int:  # type: ignore[type-arg]  # of RunConfig, not imported at start-up
    """Run the composed configurations; the run machinery is imported only now."""
    from scbench.run.command import run_command

    return run_command(configs, argv=["scbench", *sys.argv[1:]])


def console() -> None:
    """Entry point of the console script."""
    sys.exit(main())


if __name__ == "__main__":
    console()
