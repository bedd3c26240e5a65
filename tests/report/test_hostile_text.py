"""Names, labels, genes, messages and parameters that are markup somewhere: every file of a report shows them as text."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from marker_reports import report_of
from report_records import put, record
from rich.console import Console

from scbench.__main__ import main
from scbench.escape import one_line, shown_lines, text_of_csv
from scbench.report.content import read_content
from scbench.report.figures.draw import Drawing
from scbench.report.figures.true_types import as_truth
from scbench.report.selection import Selection
from scbench.report.write import write_report
from scbench.run.display import PlainDisplay, Tally
from scbench.status import main as status
from scbench.store.store import Store
from scbench.tables.measures import measures_of
from scbench.tables.terminal import print_summary

# Of a folder, so without a slash and control characters, which no record has in a name; the other one has all of it.
NAME = "=<img src=x onerror=alert(1)>|_a_*b*`c`[x](javascript:d)&amp;$x^2$%{#}~t~\\ '\"[red]\u202e#"
EVIL = f"{NAME}\x1b[31m\r\n\u2028 <script>alert(1)</script> </script> <!-- -- [y]: z \x9b\x07\ud800 1. # "
IN_BRACES = EVIL.replace("{", "{{").replace("}", "}}")
ACTS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def hostile(dataset: str, method: str, seed: int, score: float | None) -> dict[str, Any]:
    about: dict[str, Any] = {
        "params": {EVIL: EVIL, "k": seed // 10},
        "variant": EVIL,
        "preset": {"name": EVIL, "note": EVIL},
        "info": {EVIL: [EVIL]},
        "data": {"sha256": f"sha-of-{dataset}", "source": EVIL, "preprocessing": {"reader": EVIL}},
        "provenance": {"scbench": EVIL, "git_commit": EVIL, "cpu": EVIL, "argv": [EVIL], "started_at": EVIL},
        "device": EVIL,
    }
    if score is None:
        about["error"] = {"type": EVIL, "message": EVIL, "traceback": f"{EVIL}\n  {EVIL}"}
    return record(dataset, method, seed, score, **about)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


@pytest.fixture(scope="module")
def records(store: Path) -> list[dict[str, Any]]:
    runs = [hostile(f"{NAME}{end}", f"{m}{NAME}", seed, 0.5 + 0.01 * seed + 0.1 * (m == "a"))
            for end in "xy" for m in "ab" for seed in (0, 1)]  # fmt: skip
    put(store, *runs, hostile(f"{NAME}x", f"a{NAME}", 2, None))
    for path in store.rglob("embedding.npy"):
        np.save(path, np.load(path)[:, :2])
        (path.parent / "history.csv").write_text(f'epoch,"{NAME.replace(chr(34), "")}"\n0,1\n1,2\n')
    found = list(Store(store).records())
    assert len(found) == 9
    return found


@pytest.fixture(scope="module")
def out(records: list[dict[str, Any]], store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole report of such records."""
    folder = tmp_path_factory.mktemp("report")
    papers = folder / "papers"
    papers.mkdir()
    with (papers / "p.csv").open("w", newline="", encoding="utf-8") as file:
        named = [text.replace("\ud800", "") for text in (EVIL, EVIL, f"{NAME}x", EVIL)]
        csv.writer(file).writerows([["paper", "table", "dataset", "method", "metric", "value"], [*named, "acc", "0.5"]])
    content = read_content(store, Selection(), measures_of("acc,ari"), papers)
    labels = np.repeat([f"{IN_BRACES}1", f"{EVIL}2", "$a$"], 20)
    report = report_of(3, gene=f"{IN_BRACES}{{}}", dataset=f"{NAME}x", kind=f"{IN_BRACES}{{}}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scbench.report.figures.draw.true_labels", lambda record: as_truth(labels))
        write_report(content, folder / "out", EVIL, Drawing((f"{NAME}x",)), report)
    return folder / "out"


def files(out: Path, end: str) -> dict[str, str]:
    found = {path.relative_to(out).as_posix(): path.read_bytes().decode() for path in out.rglob(f"*.{end}")}
    assert found
    return found


def test_no_file_holds_what_acts_on_a_terminal(out: Path) -> None:
    for end in ("md", "csv", "tex", "html", "svg", "txt"):
        for name, text in files(out, end).items():
            assert not ACTS.search(text), name


def test_csv_has_the_texts_and_no_formula(out: Path) -> None:
    for name, text in files(out, "csv").items():
        head, *rows = csv.reader(io.StringIO(text, newline=""))
        assert {len(row) for row in rows} <= {len(head)}, name
        for cell in (cell for row in (head, *rows) for cell in row if cell[:1] in tuple("=+-@")):
            assert float(cell) is not None, name
        if "dataset" in head and rows and name != "checks.csv":
            column = {text_of_csv(row[head.index("dataset")]) for row in rows}
            assert column <= {shown_lines(f"{NAME}x"), shown_lines(f"{NAME}y")}, name
    genes = csv.DictReader(io.StringIO(files(out, "csv")["markers.csv"], newline=""))
    assert {text_of_csv(row["gene"]).rstrip("0123456789") for row in genes} == {shown_lines(EVIL)}


BLOCKS = {
    "heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline", "table_open", "table_close", "thead_open",
    "thead_close", "tbody_open", "tbody_close", "tr_open", "tr_close", "th_open", "th_close", "td_open", "td_close",
    "bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close",
}  # fmt: skip
INLINES = {"text", "softbreak", "code_inline", "strong_open", "strong_close", "em_open", "em_close", "link_open",
           "link_close", "image", "html_inline"}  # fmt: skip
ADDRESS = re.compile(r"(cells|markers)\.md(#[\w%-]+)?|[\w%/-]+\.(png|svg)")


def words(token: Token) -> str:
    shown = (one for one in token.children or [] if one.type != "html_inline")
    return "".join(" " if one.type == "softbreak" else one.content for one in shown)


@pytest.mark.parametrize("name", ["overview", "tables", "cells", "summary", "statistics", "gaps", "checks", "markers",
                                  "figures/README"])  # fmt: skip
def test_markdown_has_our_marks_alone(out: Path, name: str) -> None:
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse((out / f"{name}.md").read_text("utf-8"))
    assert {token.type for token in tokens} <= BLOCKS
    for token in tokens:
        for one in token.children or []:
            assert one.type in INLINES, one
            assert one.type != "html_inline" or re.fullmatch(r'<a id="[\w-]+">|</a>', one.content)
            for address in (one.attrs.get("href"), one.attrs.get("src")):
                assert address is None or ADDRESS.fullmatch(str(address)), address
    shown = [words(token) for token in tokens if token.type == "inline"]
    dataset, title = (one_line(text).strip() for text in (f"{NAME}x", EVIL))
    expected = {"overview": [title, dataset], "tables": [title, dataset], "summary": [dataset]}
    expected |= {"markers": [dataset, f"alpha on {dataset}, seed 0", one_line(EVIL)]}
    for text in expected.get(name, []):
        assert any(text in one for one in shown), text
    if name == "cells":
        assert any(one.endswith(f" on {dataset}") and one.startswith(f"a{one_line(NAME)}") for one in shown)


KNOWN = {"begin", "end", "centering", "caption", "label", "toprule", "midrule", "bottomrule", "textbf", "underline"}
KNOWN |= {"scriptsize", "pm", "dagger", "ifdefined", "Umathchar", "else", "fi"}
KNOWN |= {"textbackslash", "textasciitilde", "textasciicircum", "textasciigrave", *"\\&%$#_{}"}


def test_latex_is_made_of_our_commands_and_compiles(out: Path, tmp_path: Path) -> None:
    # What booktabs calls its lines, for a LaTeX without it.
    rules = "".join(f"\\newcommand\\{line}rule{{\\hline}}" for line in ("top", "mid", "bottom"))
    for name, text in files(out, "tex").items():
        body = text.partition("\n")[2]
        assert {command[1:] for command in re.findall(r"\\(?:[A-Za-z]+|.)", body)} <= KNOWN, name
        assert not re.search(r"(?<!\\)[%#^~](?!\\dagger)", body), name
        plain = re.sub(r"\\.", "", body)
        assert plain.count("{") == plain.count("}"), name
        for line in (line for line in body.splitlines() if line.endswith(r"\\")):
            assert len(re.findall(r"(?<!\\)&", line)) in (1, 2), name
        if shutil.which("pdflatex") is None:
            continue
        page = f"\\documentclass{{article}}{rules}\\begin{{document}}\n{body}\\end{{document}}"
        (tmp_path / "a.tex").write_text(page, encoding="utf-8")
        command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "a.tex"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
        assert done.returncode == 0, done.stdout[-1500:]


class Elements(HTMLParser):
    """Collects elements with the names of their attributes, and the texts of scripts and of the title."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.texts.setdefault(tag, [])

    def handle_data(self, data: str) -> None:
        if self.elements:
            self.texts[self.elements[-1][0]].append(data)


def test_html_has_the_elements_of_its_template_and_the_texts(out: Path) -> None:
    page = Elements((out / "report.html").read_text(encoding="utf-8"))
    template = Path(read_content.__code__.co_filename).parent / "html" / "page" / "template.html"
    assert page.elements == Elements(template.read_text()).elements
    title = shown_lines(EVIL.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))  # as a record is read
    assert "".join(page.texts["title"]).startswith(shown_lines(EVIL))
    data = json.loads(page.texts["script"][0])
    assert data["title"] == shown_lines(EVIL)
    assert {one["name"] for one in data["datasets"]} == {shown_lines(f"{NAME}x"), shown_lines(f"{NAME}y")}
    (setting, *_) = data["runs"]["settings"]
    assert setting["variant"] == title
    assert setting["parameters"][title] == title
    assert data["runs"]["infos"][0] == {title: [title]}
    assert "<script>alert(1)</script>" in data["runs"]["tracebacks"][0]
    genes = data["markers"]["datasets"][0]["genes"]
    assert {gene.rstrip("0123456789") for gene in genes} == {shown_lines(EVIL)}


def test_figures_are_xml_with_the_names_in_them(out: Path) -> None:
    drawn = files(out, "svg")
    kinds = ("heat_map", "spread", "cost", "critical", "curves", "confusion", "river", "umap", "similarity", "dots", "heat",
             "violins", "overlap")  # fmt: skip
    for kind in kinds:
        assert any(kind in name for name in drawn), kind
    for name, text in drawn.items():
        tags = {one.tag.rpartition("}")[2] for one in ET.fromstring(text).iter()}
        assert not tags & {"script", "foreignObject", "a"}, name
        said = [html.unescape(one).replace("- -", "--") for one in re.findall(r"<!-- (.*?) -->", text)]
        assert any("$x^2$" in one and r"\x1b[31m" in one for one in said), name


def test_a_terminal_is_given_text(records: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    for width in (60, 4000):
        shown = io.StringIO()
        console = Console(file=shown, width=width, force_terminal=True, color_system=None)
        print_summary(records, Path(f"/{EVIL}"), console, 0)
        with PlainDisplay(console, Tally(9, 0)) as display:
            display._print_line(EVIL)
        lines = shown.getvalue()
        assert not ACTS.search(lines)
        assert one_line(f"{NAME}x") in lines
        assert one_line(EVIL) in lines.splitlines()[-1]
        assert f"records: /{one_line(EVIL)}" in lines


def test_commands_say_what_is_wrong_in_one_line_of_text(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    cells = tmp_path / "a\x1b[31m[red]_b.csv"
    names = ",".join(f'"{one}\x1b[31m{number}"' for number, one in enumerate(("=a", "<b>", "[red]", "$c$")))
    rows = "".join(f'{i % 3},{i % 5},{i % 2},{i % 7},"=<i>{i % 2}\x1b[31m[/x]"\n' for i in range(40))
    cells.write_text(f'{names},"kind\x1b"\n{rows}')
    store = tmp_path / "st\x1b[31mo[/re"
    command = ["method=random", "dataset=file", f"dataset.path={cells}", "seeds=1", f"store={store}", "device=cpu"]
    assert main([*command, "dataset.label=kind\x1b"]) == 0
    assert status([str(store)]) == 0
    assert main([*command, "dataset.label=ki\x1b[31mnd"]) == 2
    assert main([*command, f"dataset.path={cells}x"]) == 2
    assert main(["report", f"store={store}", f"out={tmp_path / 'o'}", "figures=false"]) == 0
    assert main(["report", f"store={store}x"]) == 2
    assert main(["datasets", "info", "pbm\x1b[31mc"]) == 2
    said = capfd.readouterr()
    assert not ACTS.search(said.out.replace("\r\n", "\n"))
    assert not ACTS.search(said.err)
    assert sum(line.startswith("scbench: ") for line in said.err.splitlines()) == 4
    assert r"st\x1b[31mo[/re" in said.out
