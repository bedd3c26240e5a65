"""Where a command writes. Rich ends the process when a pipe is closed; a command must not end because of that."""

from __future__ import annotations

from rich.console import Console

__all__ = ["ProgressConsole", "TableConsole"]


class ProgressConsole(Console):
    """stderr: when nobody reads it any more, the runs go on in silence."""

    def __init__(self) -> None:
        super().__init__(stderr=True)

    def on_broken_pipe(self) -> None:
        """Write nothing more."""
        self.quiet = True


class TableConsole(Console):
    """stdout: a table that cannot be written is an error of the command."""

    def on_broken_pipe(self) -> None:
        """Let the caller see the broken pipe.

        Raises:
            BrokenPipeError: always.
        """
        raise BrokenPipeError("nobody reads the output")
