"""Where a command writes, and how: text from outside is text on a terminal, never markup and never a control code.

Rich ends the process when a pipe is closed; a command must not end because of that.
"""

from __future__ import annotations

from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.style import StyleType
from rich.table import Table
from rich.text import Text

from scbench.escape import one_line

__all__ = ["PlainTable", "ProgressConsole", "TableConsole", "needed_width", "print_whole", "say"]

_WIDEST = 10_000  # columns that are measured


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


class PlainTable(Table):
    """A table whose texts are shown as they are; Rich's own would read ``[red]`` in them as a colour."""

    def add_row(self, *cells: RenderableType | None, style: StyleType | None = None, end_section: bool = False) -> None:
        """Add a row; what is no text is drawn as Rich draws it."""
        plain = (Text(one_line(cell)) if isinstance(cell, str) else cell for cell in cells)
        super().add_row(*plain, style=style, end_section=end_section)

    @classmethod
    def of_columns(cls, *names: str, left: int | None = None, gap: int = 2) -> PlainTable:
        """Return a table without lines around it.

        Args:
            names: headings.
            left: how many columns stand at their left side, the others at the right; None for all of them.
            gap: blanks between columns.
        """
        table = cls(box=None, pad_edge=False, header_style="bold", padding=(0, gap, 0, 0))
        for place, name in enumerate(names):
            table.add_column(Text(name), justify="left" if left is None or place < left else "right", no_wrap=True)
        return table


def say(console: Console, line: str, style: str = "") -> None:
    """Print one line without wrapping it."""
    console.print(Text(one_line(line), style=style), soft_wrap=True)


def needed_width(console: Console, table: Table) -> int:
    """Return the number of columns that a table needs."""
    return Measurement.get(console, console.options.update(max_width=_WIDEST), table).maximum


def print_whole(console: Console, table: Table) -> None:
    """Print a table whole: a number is never cut, and where it does not fit, the terminal may wrap its lines."""
    console.width = max(console.width, needed_width(console, table))
    console.print(table)
