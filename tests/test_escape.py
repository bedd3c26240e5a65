"""Any text at all stays text in every kind of output, and each output is read by a parser of its own."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
import unicodedata
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from scbench.escape import (
    csv_cell,
    csv_row,
    figure_text,
    html_text,
    latex_text,
    markdown_code,
    markdown_text,
    one_line,
    page_data,
    shown_lines,
    text_of_csv,
)

PARTS = [
    "<script>alert(1)</script>", "</script>", "<!--", "-->", "<b>", "|", "\\|", "\\", "_", "__", "*", "**", "`", "``", "~",
    "~~", "[x](javascript:alert(1))", "![x](y)", "[x]: y", "[", "]", "(", ":", "#", " #", "- ", "+ ", "> ", "1. ", "2) ",
    "[ ] ", "---", "===", "&amp;", "&#60;", "&", "$", "$x^2$", "%", "{", "}", "^", "\"", "'", "''", "--", "=1+1", "@x", "-1",
    "-0.5", "+", "\x1b[31m", "\x1b]0;t\x07", "\x00", "\x9b", "\x85", "\u2028", "\u202e", "\u2066", "\ud800", "\ufffe", "\n",
    "\r", "\r\n", "\t", " ", "  ", "    ", "a", "B_b", "0", "±", "†", "é", "µ", "🧬", "\uff1d1", "[red]", "[/x]", ":smile:",
]  # fmt: skip
ANY = st.one_of(
    st.lists(st.sampled_from(PARTS), max_size=8).map("".join),
    st.text(st.characters(exclude_categories=()), max_size=30),
)
EVERYTHING = " ".join(PARTS)
DIRECTIONS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
ROOT = Path(__file__).parents[1]


def for_any_text(test: Callable[[str], None]) -> Callable[[], None]:
    """Call a test with many texts; a busy machine is no failure."""
    return settings(deadline=None)(given(ANY)(example(EVERYTHING)(test)))


def is_hidden(letter: str) -> bool:
    return (
        unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(letter) in DIRECTIONS
    ) or letter in "\ufffe\uffff"


@for_any_text
def test_a_line_holds_nothing_that_acts_or_hides(text: str) -> None:
    line = one_line(text)
    assert not any(map(is_hidden, line))
    assert {letter for letter in shown_lines(text) if is_hidden(letter)} <= {"\n", "\t"}
    if not any(map(is_hidden, text)):
        assert line == shown_lines(text) == text
    line.encode("utf-8")


def test_what_is_hidden_is_shown_as_its_code() -> None:
    assert one_line("a\x1b[31m\u202eb\r\nc\td\ud800") == r"a\x1b[31m\u202eb c d\ud800"
    assert shown_lines("a\r\n\tb\rc\x9b") == "a\n\tb\\x0dc\\x9b"


class Reader(HTMLParser):
    """Keeps everything of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[Any] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.found.append(data)


@for_any_text
def test_html_has_the_text_and_no_element_more(text: str) -> None:
    shown = shown_lines(text)
    for quote in "\"'":
        page = Reader(f"<p title={quote}{html_text(text)}{quote}>{html_text(text)}</p>")
        assert page.found == [("p", {"title": shown})]
        assert page.text == shown


@for_any_text
def test_data_of_a_page_are_read_back_and_end_nothing(text: str) -> None:
    page = Reader(f'<script type="application/json">{page_data({text: [text, 1, None, {"a": (text,)}]})}</script><i>')
    shown = shown_lines(text)
    assert json.loads(page.text) == {shown: [shown, 1, None, {"a": [shown]}]}
    assert [tag for tag, _ in page.found] == ["script", "i"]
    assert page.text.isascii()


PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def inlines(text: str, kinds: set[str]) -> list[Token]:
    """Return the runs of text of a page that holds blocks of these kinds only."""
    tokens = PARSER.parse(text)
    assert {token.type.removesuffix("_open").removesuffix("_close") for token in tokens} <= {"inline", *kinds}
    return [token for token in tokens if token.type == "inline"]


def words(token: Token) -> str:
    """Return what a run shows, of which nothing may be marked."""
    assert {one.type for one in token.children or []} <= {"text"}
    return "".join(one.content for one in token.children or [])


TABLE = {"table", "thead", "tbody", "tr", "th", "td"}


@for_any_text
def test_markdown_shows_the_text_and_marks_nothing(text: str) -> None:
    line, mine = one_line(text), markdown_text(text)
    (heading,) = inlines(f"## {mine} on {mine}", {"heading"})
    assert words(heading) == f"{line} on {line}".strip()
    if line.strip():
        (last,) = inlines(f"# {mine}", {"heading"})
        assert words(last) == line.strip()
    (paragraph,) = inlines(f"Note: {mine}.", {"paragraph"})
    assert words(paragraph) == f"Note: {line}."
    table = inlines(f"| {mine} | b |\n| --- | --- |\n| {mine} | **c** |\n| x | {mine} |", TABLE)
    assert [words(table[place]).strip() for place in (0, 2, 5)] == [line.strip()] * 3
    assert len(table) == 6


@example("# a")
@example("[x]: y")
@for_any_text
def test_markdown_starts_no_block(text: str) -> None:
    line = one_line(text).strip()
    mine = markdown_text(text, starts_block=True)
    found = inlines(f"- {mine}\n- end", {"bullet_list", "list_item", "paragraph"})
    assert [words(one).strip() for one in found] == ([line] if line else []) + ["end"]
    assert not mine.startswith("[")  # a box to tick


@example("a\\|b")
@for_any_text
def test_code_in_a_table_shows_the_text(text: str) -> None:
    cell = inlines(f"| a | b |\n| --- | --- |\n| {markdown_code(text)} | c |", TABLE)
    assert len(cell) == 4
    assert {one.type for one in cell[2].children or []} <= {"text", "code_inline"}
    assert "".join(one.content for one in cell[2].children or []).strip() == one_line(text).strip()


def test_ordinary_names_are_left_as_they_are() -> None:
    for text in ("cite_cbmc", "SC3 [scClubench, table 2]", "m #8c87ec", "d#3f2a", "R&D", "a__b", "p > 0.05", "-", "-0.3",
                 "scSAMAC(NB)", "1. a", "0.1.0 5c2bdca (changed): 10", "†"):  # fmt: skip
        assert markdown_text(text) == text
    assert markdown_code("d/m/7e0cf6") == "`d/m/7e0cf6`"
    assert latex_text("cite_cbmc 50 % -0.3, 10/10") == r"cite\_cbmc 50 \% -0.3, 10/10"


LATEX = {
    r"\textbackslash{}": "\\", r"\textasciitilde{}": "~", r"\textasciicircum{}": "^", r"\textasciigrave{}": "`",
    r"$\pm$": "±", r"$^\dagger$": "†", "$<$": "<", "$>$": ">", "$|$": "|", "{[}": "[", "{]}": "]", "{*}": "*", "{}-": "-",
    "{}'": "'", "{},": ",", **{f"\\{letter}": letter for letter in "&%$#_{}"},
}  # fmt: skip
OF_OTHERS = re.compile(r"\\ifdefined\\Umathchar ([^\x00-\x7f]+)\\else(?:\\textbackslash\{\}u[0-9a-f]{4,6})+\\fi\{\}")
LATEX_TOKEN = re.compile("|".join(map(re.escape, sorted(LATEX, key=len, reverse=True)))
                         + rf"|{OF_OTHERS.pattern.replace('([', '(?:[')}|[^\\{{}}$&#^_%~`\[\]*<>|±†]")  # fmt: skip


@for_any_text
def test_latex_is_made_of_known_pieces_that_give_the_text(text: str) -> None:
    mine = latex_text(text)
    pieces = LATEX_TOKEN.findall(mine)
    assert "".join(pieces) == mine
    assert "".join(LATEX.get(piece) or OF_OTHERS.sub(r"\1", piece) for piece in pieces) == one_line(text)
    assert not re.search("--|''|,,|``", mine)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX on this machine")
def test_latex_compiles(tmp_path: Path) -> None:
    text = latex_text("".join(map(chr, range(32, 0x250))) + EVERYTHING + "细胞\ufffd e\u0301")
    rows = "".join(f"{latex_text(part)} & {text} \\\\\n" for part in ("*a", "[2pt]", "a"))
    table = f"\\begin{{table}}\\caption{{{text}}}\\begin{{tabular}}{{lr}}\n{rows}\\end{{tabular}}\\end{{table}}"
    (tmp_path / "a.tex").write_text(f"\\documentclass{{article}}\\begin{{document}}{table}\\end{{document}}")
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "a.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, done.stdout[-2000:]


@example("\u202e'")
@for_any_text
def test_csv_gives_every_text_back_and_runs_none(text: str) -> None:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerow(csv_row([text, "b", text]))
    ((first, middle, last),) = csv.reader(io.StringIO(file.getvalue(), newline=""))
    assert first == last
    assert middle == "b"
    assert text_of_csv(first) == shown_lines(text)
    if len(first) > 1 and first[0] in "=+-@\t\n\r\uff1d\uff0b\uff0d\uff20":
        assert float(first) is not None


@pytest.mark.parametrize(
    "value", [-0.5, -1, None, True, "", "-1", "-0.5", "+1e5", "-", "'a", "a=b", "T cells (+)", "6/-"]
)
def test_numbers_and_names_stay_in_csv(value: object) -> None:
    assert csv_cell(value) == value


@pytest.mark.parametrize("text", ["=1+1", "+a", "-a", "@SUM(1)", "\t=1", "\n=1", "-1+1|cmd", "\uff1d1"])
def test_formulas_are_marked_in_csv(text: str) -> None:
    assert csv_cell(text) == f"'{text}"
    assert csv_cell(f"'{text}") == f"''{text}"


@example("$x^2$ \\$ $")
@for_any_text
def test_figures_read_no_formula(text: str) -> None:
    cbook = pytest.importorskip("matplotlib.cbook")
    mine = figure_text(text)
    assert not cbook.is_math_text(mine)
    assert mine.replace(r"\$", "$") == one_line(text)


def test_there_is_one_place_that_escapes() -> None:
    sources = {path: path.read_text(encoding="utf-8") for path in (ROOT / "scbench").rglob("*.py")}

    def of(pattern: str) -> set[str]:
        return {
            path.relative_to(ROOT / "scbench").as_posix() for path, text in sources.items() if re.search(pattern, text)
        }

    assert of(r"\bhtml\.escape\(|from html import") == {"escape.py"}
    assert of(r"textbackslash|&lt;|u003c") == {"escape.py"}
    assert of(r"stderr\.write\(f?\"scbench: \{") == {"messages.py"}
    assert of(r"rich\.table import") == {"consoles.py"}
