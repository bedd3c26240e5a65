"""The page as a file: whole, the same every time, asking for nothing, and safe whatever records say."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from html_pages import EVIL, make_page
from report_records import put, record

from scbench.report.__main__ import main
from scbench.report.content import read_content
from scbench.report.html.page import SCRIPTS, pictures
from scbench.report.pages import grids_of
from scbench.report.selection import Selection
from scbench.tables.measures import MEASURES, measures_of


class Reader(HTMLParser):
    """Collects elements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    return make_page(tmp_path_factory.mktemp("store"))


def data_of(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, flags=re.DOTALL)
    assert found
    return dict(json.loads(found[1]))


def test_nothing_is_asked_from_anywhere(text: str) -> None:
    reader = Reader(text)
    addresses = [value for _, about in reader.elements for name, value in about.items() if name in ("src", "href")]
    assert [one for one in addresses if not (one or "").startswith(("#", "data:"))] == []
    script = text.split("</style>")[1].rsplit("<script>", 1)[1]
    for word in ("fetch(", "XMLHttpRequest", "import(", "innerHTML", "eval(", "WebSocket", "sendBeacon"):
        assert word not in script
    assert "@import" not in text
    assert "url(" not in text
    assert set(re.findall(r"https?://[^\"']+", script)) == {"http://www.w3.org/2000/svg"}  # a name, not an address


def test_the_policy_allows_its_own_script_and_style_only(text: str) -> None:
    (policy,) = [about["content"] for about in Reader(text).of("meta") if about.get("http-equiv")]
    assert policy is not None
    assert policy.startswith("default-src 'none'; img-src data:;")
    for kind, tag in (("script", r"<script>(.*)</script>"), ("style", r"<style>(.*)</style>")):
        found = re.search(tag, text, flags=re.DOTALL)
        assert found
        digest = base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


def test_what_records_say_is_data_and_never_markup(text: str) -> None:
    assert EVIL not in text
    assert "<script>window" not in text
    assert "<img" not in text
    assert len(Reader(text).of("script")) == 2
    runs = data_of(text)["runs"]
    assert runs["reasons"] == [f"ValueError: {EVIL}"]
    assert runs["tracebacks"] == [f"Traceback of {EVIL}"]


def test_every_value_is_that_of_the_other_tables(tmp_path: Path) -> None:
    data = data_of(make_page(tmp_path))
    published = Path(__file__).parents[3] / "results" / "published"
    content = read_content(tmp_path, Selection(), measures_of("acc,ari"), published)
    assert [one["name"] for one in data["measures"]][:2] == ["acc", "ari"]
    assert {one["name"] for one in data["measures"]} == set(MEASURES)
    for shown in data["measures"]:
        for one, grid in zip(shown["grids"], grids_of(content, MEASURES[shown["name"]]), strict=True):
            assert one["columns"] == list(grid.columns)
            assert [[cell[0] for cell in row[2]] for row in one["rows"]] == [
                [cell.text for cell in cells] for _, cells in grid.rows
            ]
            for (name, _, cells), (_, of_grid) in zip(one["rows"], grid.rows, strict=True):
                for (_, place, _), cell in zip(cells, of_grid, strict=True):
                    keys = [] if place < 0 else [run[2] for run in data["runs"]["cells"][place][-1]]
                    assert tuple(keys) == cell.keys, name


def test_the_same_store_gives_the_same_bytes_and_the_file_lies_beside_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path / "store", *(record("d", method, seed) for method in ("m", "leiden") for seed in (0, 1)))
    for out in ("a", "b"):
        assert main([f"store={tmp_path / 'store'}", f"out={tmp_path / out}", "details=none", "metrics=acc"]) == 0
        assert str(tmp_path / out / "report.html") in capsys.readouterr().out.splitlines()
    first, second = ((tmp_path / out / "report.html").read_bytes() for out in ("a", "b"))
    assert first == second
    figures = data_of(first.decode())["figures"]
    diagrams = [f"critical difference acc {analysis}" for analysis in ("failures last", "complete blocks")]
    assert [one["name"] for one in figures] == ["heat map acc", "spread acc 1", "cost acc", *diagrams]
    assert all(one["address"].startswith("data:image/svg+xml;base64,") for one in figures)


def test_pictures_stop_where_the_room_ends(tmp_path: Path) -> None:
    sizes = {"cost_acc.svg": 3000, "critical_difference_acc.svg": 30, "heat_map_acc.png": 3, "m-on-d_0_umap.svg": 3}
    for name, size in sizes.items():
        (tmp_path / name).write_bytes(b"x" * size)
    paths = [tmp_path / name for name in sizes]
    shown, left_out = pictures(paths, 1000)
    assert [one["name"] for one in shown] == ["critical difference acc"]
    assert left_out == ["cost acc"]
    assert [one["name"] for one in pictures(paths, 5000)[0]] == ["cost acc", "critical difference acc"]
    assert pictures(paths, -5) == ([], ["critical difference acc", "cost acc"])


def test_what_matters_most_gets_the_room_and_the_order_stays(tmp_path: Path) -> None:
    names = ["spread_acc.svg", "cost_acc.svg", "heat_map_acc.svg", "spread_ari.svg", "heat_map_ari.svg"]
    for name in names:
        (tmp_path / name).write_bytes(b"x" * 300)
    shown, left_out = pictures([tmp_path / name for name in names], 1400)
    assert [one["name"] for one in shown] == ["cost acc", "heat map acc", "heat map ari"]
    assert left_out == ["spread acc", "spread ari"]


def test_text_that_is_no_text_costs_no_page(tmp_path: Path) -> None:
    put(tmp_path / "store", record(score=None, error={"type": "E", "message": "\ud800 \u2028 \x00", "traceback": ""}))
    assert main([f"store={tmp_path / 'store'}", f"out={tmp_path / 'out'}", "figures=false"]) == 0
    data = data_of((tmp_path / "out" / "report.html").read_text(encoding="utf-8"))
    # What is no character is shown as the sign for one, from the reading of the record on.
    assert data["runs"]["reasons"] in (["E: \ufffd \u2028 \x00"], ["E: \ufffd"])


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1])
@pytest.mark.parametrize("ink", ["ink", "quiet", "accent", "bad"])
@pytest.mark.parametrize("ground", ["paper", "raised"])
def test_text_has_the_contrast_that_wcag_asks_for(scheme: int, ink: str, ground: str) -> None:
    style = (files("scbench.report.html") / "page" / "page.css").read_text()
    colours = {name: pair for name, *pair in re.findall(r"--(\w+): light-dark\((#\w{6}), (#\w{6})\)", style)}
    bright, dark = sorted((luminance(colours[one][scheme]) for one in (ink, ground)), reverse=True)
    assert (bright + 0.05) / (dark + 0.05) >= 4.5


def test_every_script_of_the_folder_is_in_the_page() -> None:
    folder = files("scbench.report.html") / "page"
    assert {one.name for one in folder.iterdir()} == {*SCRIPTS, "page.css", "template.html"}
