"""Grids as LaTeX: booktabs, best in bold, second underlined; needs no other package."""

from __future__ import annotations

from scbench.escape import latex_text
from scbench.report.grid import Grid, GridCell

__all__ = ["grid_latex"]

_COLUMNS = 5  # datasets side by side on a page


def grid_latex(grid: Grid, caption: str, label: str) -> str:
    r"""Return ``table`` environments, one per few datasets; each method has a second line with runs and K.

    Args:
        grid: the table.
        caption: plain text; it is escaped.
        label: for ``\ref``; pieces after the first get ``-2``, ``-3``.
    """
    pieces = []
    for number, start in enumerate(range(0, len(grid.columns), _COLUMNS), start=1):
        columns = grid.columns[start : start + _COLUMNS]
        lines = [
            r"\begin{table}[htbp]",
            r"\centering",
            rf"\caption{{{latex_text(caption)}}}",
            rf"\label{{{label}{f'-{number}' if number > 1 else ''}}}",
            rf"\begin{{tabular}}{{l{'r' * len(columns)}}}",
            r"\toprule",
            _line(["Method", *map(latex_text, columns)]),
            r"\midrule",
        ]
        for name, cells in grid.rows:
            here = cells[start : start + _COLUMNS]
            lines.append(_line([latex_text(name), *map(_cell, here)]))
            if any(cell.detail for cell in here):
                lines.append(_line(["", *map(_detail, here)]))
        lines += [r"\bottomrule", r"\end{tabular}", r"\end{table}"]
        pieces.append("\n".join(lines))
    return "\n\n".join(pieces) + "\n"


def _line(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"


def _detail(cell: GridCell) -> str:
    return rf"{{\scriptsize {latex_text(cell.detail)}}}" if cell.detail else ""


def _cell(cell: GridCell) -> str:
    text = latex_text(cell.text + ("†" if cell.is_mixed else ""))
    return {"best": rf"\textbf{{{text}}}", "second": rf"\underline{{{text}}}"}.get(cell.mark, text)
