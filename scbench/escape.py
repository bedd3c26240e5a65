r"""Text from outside (labels, genes, file names, messages, parameters) as text of each kind of output: the one place.

What no reader should be given as it is, control characters, marks that turn the direction of a line, halves of
characters, is shown as its code (``\x1b``, ``\u202e``) everywhere. Records and labels are never altered.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable
from typing import Any

__all__ = [
    "csv_cell",
    "csv_row",
    "figure_text",
    "html_text",
    "latex_text",
    "markdown_code",
    "markdown_text",
    "one_line",
    "page_data",
    "shown_lines",
    "text_of_csv",
]

# Breaks of lines and tabs are for the functions below to decide on.
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_BREAKS = re.compile("[\t\n\x0b\x0c\r\x85\u2028\u2029]+ *")

_MARKDOWN = re.compile(
    r"""
      [\\`*|~$<]          # code, emphasis, cells of tables, strike-through, formulas, tags
    | &(?=\#?\w+;)        # what would be read as a character's name
    | \](?=[(:])          # a link, or the definition of one
    | _+                  # emphasis, unless it stands inside a word
    | (?:(?<=\s)|^)\#(?=\#*\s*$)  # the end of a heading
    """,
    re.VERBOSE,
)
_STARTS_BLOCK = re.compile(r"[-+=>#\[]|\d+(?=[.)])")  # of Markdown: a list, a heading, a quotation, a box to tick

_LATEX_LETTERS = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "<": r"$<$", ">": r"$>$", "†": r"$^\dagger$",
    "|": r"$|$", "[": r"{[}", "]": r"{]}", "*": "{*}", "`": r"\textasciigrave{}",
}  # fmt: skip
# Beyond ASCII, what every LaTeX prints without packages; the quotes and dashes at its end are meant.
_IN_EVERY_LATEX = "\xa0-\xaa\xac-\xba\xbc-\xcf\xd1-\xdd\xdf-\xef\xf1-\xfd\xff–—‘’“”…•™€"  # noqa: RUF001
_LATEX = re.compile(
    r"[\\&%$#_{}~^±<>†|\[\]*`]|(?<=-)-|(?<=')'|(?<=,),"  # the last are dashes and quotes that would merge
    rf"|[^\x00-\x7f{_IN_EVERY_LATEX}†]+"
)

# Of a cell; spreadsheets take the wide forms of =, +, - and @ as well.
_FORMULA = re.compile("'*[=+\\-@\t\n\uff1d\uff0b\uff0d\uff20](?=.)", re.DOTALL)
_MARKED = re.compile("'" + _FORMULA.pattern, re.DOTALL)


def shown_lines(text: str) -> str:
    r"""Return a text of several lines, such as a traceback, without what would act on a terminal or hide."""
    return _HIDDEN.sub(_code, text.replace("\r\n", "\n"))


def one_line(text: object) -> str:
    """Return a text as one line for a terminal: breaks of lines and tabs are a space, and nothing acts or hides."""
    return _HIDDEN.sub(_code, _BREAKS.sub(" ", str(text)))


def html_text(text: object) -> str:
    """Return a text for the content of an element or for an attribute in quotes."""
    return html.escape(shown_lines(str(text)), quote=True)


def page_data(content: Any) -> str:  # Any: what JSON can hold
    """Return JSON in ASCII for a ``script`` element: nothing in it can end the element or begin another.

    Raises:
        ValueError: a number that is not finite.
    """
    text = json.dumps(_shown(content), allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def markdown_text(text: object, *, starts_block: bool = False) -> str:
    """Return a text for a paragraph, a heading or a cell of a table; only what would be read as markup is escaped.

    Args:
        text: whole, with what stands before and after it: a bracket is a link or none by what follows it.
        starts_block: it stands at the start of a line or of an item of a list.
    """
    line = one_line(text)
    escaped = _MARKDOWN.sub(_in_markdown, line.strip() if starts_block else line)
    if starts_block and (found := _STARTS_BLOCK.match(escaped)):
        mark = escaped[: found.end()]
        return (f"{mark}\\" if mark.isdecimal() else f"\\{mark}") + escaped[found.end() :]
    return escaped


def markdown_code(text: object) -> str:
    """Return a text in the letters of code, also for a cell of a table; as plain text where code cannot hold it."""
    line = one_line(text)
    return f"`{line}`" if line and line == line.strip() and not set("`|") & set(line) else markdown_text(line)


def latex_text(text: object) -> str:
    """Return a text for LaTeX without packages.

    Letters that pdfLaTeX does not know, such as those of other scripts, are there for XeLaTeX and LuaLaTeX; pdfLaTeX,
    which would stop at them, prints their codes.
    """
    return _LATEX.sub(_in_latex, one_line(text))


def figure_text(text: object) -> str:
    """Return a text for matplotlib, which reads what stands between two dollar signs as a formula."""
    return one_line(text).replace("$", r"\$")


def csv_cell(value: object) -> object:
    """Return what is written for a value: a text that a spreadsheet would run as a formula begins with an apostrophe.

    That is one with ``=``, ``+``, ``-``, ``@``, a tab or a new line before more text. Numbers stay, and so does a text
    that is a number (``-1``, ``+0.5``). A text that has such a start behind apostrophes gets one more, so that
    :func:`text_of_csv` gives every text back.
    """
    if not isinstance(value, str):
        return value
    text = shown_lines(value)
    return f"'{text}" if _FORMULA.match(text) and not _is_number(text) else text


def csv_row(values: Iterable[object]) -> list[object]:
    """Return the cells of a line of CSV, see :func:`csv_cell`."""
    return [csv_cell(value) for value in values]


def text_of_csv(cell: str) -> str:
    """Return the text that :func:`csv_cell` was given."""
    return cell[1:] if _MARKED.match(cell) else cell


def _code(found: re.Match[str]) -> str:
    """Return the code of a character as Python writes it."""
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def _shown(value: Any) -> Any:  # Any: what JSON can hold
    """Return a value whose texts and names show what is hidden."""
    if isinstance(value, str):
        return shown_lines(value)
    if isinstance(value, dict):
        return {_shown(name): _shown(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(one) for one in value]
    return value


def _in_markdown(found: re.Match[str]) -> str:
    """Return a letter that means something in Markdown as one that does not."""
    letter = found[0]
    if letter in ("<", "&"):
        return html.escape(letter)
    if letter[0] == "_":
        before, after = found.string[: found.start()][-1:], found.string[found.end() :][:1]
        return letter if before.isalnum() and after.isalnum() else letter.replace("_", r"\_")
    return f"\\{letter}"


def _in_latex(found: re.Match[str]) -> str:
    """Return letters that mean something in LaTeX, would merge with the one before, or are not known to each."""
    letters = found[0]
    if letters in _LATEX_LETTERS:
        return _LATEX_LETTERS[letters]
    if letters.isascii():
        return f"{{}}{letters}"
    codes = "".join(rf"\textbackslash{{}}u{ord(letter):04x}" for letter in letters)
    return rf"\ifdefined\Umathchar {letters}\else{codes}\fi{{}}"


def _is_number(text: str) -> bool:
    """Return whether a text is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True
