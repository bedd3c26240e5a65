"""Grids as LaTeX: booktabs, best in bold, second underlined; needs no other package."""

from __future__ import annotations

from scbench.report.grid import Grid, GridCell

__all__ = ["escaped", "grid_latex"]

_COLUMNS = 5  # datasets side by side on a page
_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "<": r"$<$", ">": r"$>$", "†": r"$^\dagger$",
    "|": r"$|$", "[": r"{[}", "]": r"{]}",
}  # fmt: skip


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
            rf"\caption{{{escaped(caption)}}}",
            rf"\label{{{label}{f'-{number}' if number > 1 else ''}}}",
            rf"\begin{{tabular}}{{l{'r' * len(columns)}}}",
            r"\toprule",
            _line(["Method", *map(escaped, columns)]),
            r"\midrule",
        ]
        for name, cells in grid.rows:
            here = cells[start : start + _COLUMNS]
            lines.append(_line([escaped(name), *map(_cell, here)]))
            if any(cell.detail for cell in here):
                lines.append(
                    _line(["", *(rf"{{\scriptsize {escaped(cell.detail)}}}" if cell.detail else "" for cell in here)])
                )
        lines += [r"\bottomrule", r"\end{tabular}", r"\end{table}"]
        pieces.append("\n".join(lines))
    return "\n\n".join(pieces) + "\n"


def escaped(text: str) -> str:
    """Return text with LaTeX's special characters escaped."""
    return "".join(_SPECIAL.get(letter, letter) for letter in text)


def _line(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"


def _cell(cell: GridCell) -> str:
    text = escaped(cell.text + ("†" if cell.is_mixed else ""))
    return {"best": rf"\textbf{{{text}}}", "second": rf"\underline{{{text}}}"}.get(cell.mark, text)
