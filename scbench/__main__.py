"""``python -m scbench`` and the console script ``scbench``: run methods, or hand over to another command."""

from __future__ import annotations

import importlib
import io
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from scbench.errors import ScbenchError
from scbench.escape import shown_lines
from scbench.messages import complain, show_messages

if TYPE_CHECKING:
    from scbench.config.request import Request
    from scbench.config.schema import RunConfig

__all__ = ["console", "main"]

# Commands that are modules of their own: python -m scbench.<name>, or scbench <name>.
_COMMANDS = {
    "advise": "scbench.advise",
    "archive": "scbench.archive",
    "compare": "scbench.own_cells.comparison.command",
    "datasets": "scbench.datasets",
    "doctor": "scbench.doctor",
    "labels": "scbench.labels",
    "report": "scbench.report.__main__",
    "rescore": "scbench.rescore",
    "status": "scbench.status",
    "transfer": "scbench.transfer",
    "tune": "scbench.tune.__main__",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns:
        0: all runs ok; 1: at least one run failed; 2: the command or the configuration is wrong.
    """
    with _ctrl_c_remembered() as was_stopped:
        try:
            _prepare_streams()
            status = _dispatch(list(sys.argv[1:] if arguments is None else arguments), was_stopped)
            sys.stdout.flush()
        except (Exception, KeyboardInterrupt) as error:
            if was_stopped():  # libraries may turn the interrupt into an exception of their own
                sys.stderr.write("\nscbench: stopped by Ctrl-C; the same command goes on from here\n")
                return 1
            if isinstance(error, ScbenchError):
                complain(error)
                return 2
            if isinstance(error, OSError):
                return _cannot_write(error)
            raise
    return status


def _dispatch(args: list[str], was_stopped: Callable[[], bool]) -> int:
    """Hand the arguments to the command they name."""
    show_messages()
    if args and args[0] == "run":
        args = args[1:]
    elif args and args[0] in _COMMANDS:
        return int(importlib.import_module(_COMMANDS[args[0]]).main(args[1:]))
    if {"-h", "--help"} & set(args):
        from scbench.config.help import help_text

        sys.stdout.write(shown_lines(help_text(args)))
        return 0
    if "--version" in args:
        from scbench import __version__

        sys.stdout.write(f"scbench {__version__}\n")
        return 0
    from scbench.config.compose import run_with_config
    from scbench.config.request import read_request

    request = read_request(args)
    return run_with_config(request, lambda configs: _run(configs, request, was_stopped))


def _prepare_streams() -> None:
    """Make output work wherever it goes: closed streams, and terminals that do not know every character."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:  # a run inherits the gap, and its log file would fill it
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # it was closed before Python started
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - open as long as the process
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _cannot_write(error: OSError) -> int:
    """Say that the output could not be written, or that a file could not; the records are in the store."""
    with suppress(OSError):
        if not isinstance(error, BrokenPipeError):
            complain(f"{error}; results of finished runs are in the store")
    with suppress(OSError, ValueError):  # what waits in the buffer would fail again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


@contextmanager
def _ctrl_c_remembered() -> Iterator[Callable[[], bool]]:
    """Yield a function that tells whether Ctrl-C has come; Python can lose the exception while it imports."""
    came = False

    def note(_signal: int, _frame: object) -> None:
        nonlocal came
        came = True
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield lambda: came
        return
    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: came
    finally:
        signal.signal(signal.SIGINT, before)


def _run(configs: list[RunConfig], request: Request, was_stopped: Callable[[], bool]) -> int:
    """Run the composed configurations; the run machinery is imported only now."""
    from scbench.run.command import run_command

    if was_stopped():
        raise KeyboardInterrupt
    left_out = None if request.cells is None else request.left_out
    return run_command(configs, ["scbench", *sys.argv[1:]], left_out, is_dry_run=request.is_dry_run)


def console() -> None:
    """Entry point of the console script."""
    status = main()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done; a late Ctrl-C must not change the exit status
    sys.exit(status)


if __name__ == "__main__":
    console()
