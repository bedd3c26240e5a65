"""The page in a real browser: sorting, filters, drill-down, keyboard, themes, print; and nothing in its console."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from html_pages import EVIL, MORE, make_page

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
from selenium.common.exceptions import StaleElementReferenceException  # noqa: E402
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.select import Select  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    BROWSER is None or DRIVER is None, reason="no chromium with its chromedriver on this machine"
)
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
FIRST = "#grid-0"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One browser for the whole module; Any: selenium may be missing."""
    folder = tmp_path_factory.mktemp("browser")
    options = webdriver.ChromeOptions()
    options.binary_location = str(BROWSER)
    for flag in [*FLAGS.split(), f"--user-data-dir={folder / 'profile'}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    (folder / "report.html").write_text(make_page(folder / "store"), encoding="utf-8")
    driver.address = (folder / "report.html").as_uri()
    yield driver
    driver.quit()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """The page as it opens; after each test nothing may stand in the console."""
    resize(browser, 1280)
    browser.get(browser.address)
    yield browser
    assert browser.get_log("browser") == []
    assert browser.execute_script("return window.hurt === undefined")


def resize(page: Any, width: int, scheme: str = "light", media: str = "") -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})


def find(page: Any, selector: str) -> Any:
    return page.find_element(By.CSS_SELECTOR, selector)


def texts(page: Any, selector: str) -> list[str]:
    return [one.text for one in page.find_elements(By.CSS_SELECTOR, selector)]


def names(page: Any, grid: str = FIRST) -> list[str]:
    return texts(page, f"{grid} tbody th")


def values(page: Any, column: int) -> list[str]:
    return [text.split("\n")[0].split(" ")[0] for text in texts(page, f"{FIRST} tbody td:nth-child({column})")]


def header(page: Any, column: int, grid: str = FIRST) -> Any:
    return find(page, f"{grid} thead th:nth-child({column})")


def open_cell(page: Any, name: str, column: int, grid: str = FIRST) -> Any:
    (row,) = [row for row in page.find_elements(By.CSS_SELECTOR, f"{grid} tbody tr") if row.text.startswith(name)]
    button = row.find_element(By.CSS_SELECTOR, f"td:nth-child({column}) button")
    page.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", button)
    button.click()
    return button


def test_it_opens_without_a_request(page: Any) -> None:
    assert find(page, "html").get_attribute("data-ready") == "yes"
    assert page.execute_script("return performance.getEntriesByType('resource').map(one => one.name)") == []
    asked = [one["message"] for one in page.get_log("performance") if "Network.requestWillBeSent" in one["message"]]
    assert asked
    addresses = [json.loads(one)["message"]["params"]["request"]["url"] for one in asked]
    assert {address.partition(":")[0] for address in addresses} <= {"file", "data", "chrome"}  # its start page
    assert names(page) == ["random", "pca_kmeans", "leiden", "louvain", "alpha", "m"]
    assert texts(page, "h2")[:3] == ["How to read this", "Scores", "Statistics across datasets"]
    assert len(texts(page, ".protocol li")) == 4


def test_columns_sort_both_ways_with_missing_values_last(page: Any) -> None:
    header(page, 2).find_element(By.TAG_NAME, "button").click()
    assert values(page, 2) == ["90.5", "70.5", "50.5", "40.5", "not", "not"]
    assert header(page, 2).get_attribute("aria-sort") == "descending"
    assert "sorted by d, descending" in find(page, "#said").get_attribute("textContent")
    header(page, 2).find_element(By.TAG_NAME, "button").click()
    assert values(page, 2) == ["40.5", "50.5", "70.5", "90.5", "not", "not"]
    assert header(page, 2).get_attribute("aria-sort") == "ascending"
    header(page, 2).find_element(By.TAG_NAME, "button").click()
    assert names(page)[0] == "random"
    assert header(page, 2).get_attribute("aria-sort") == "none"
    header(page, 1).find_element(By.TAG_NAME, "button").click()
    assert names(page) == ["alpha", "leiden", "louvain", "m", "pca_kmeans", "random"]
    header(page, 4).find_element(By.TAG_NAME, "button").click()
    assert values(page, 4)[0] == "30.0"
    assert sorted(values(page, 4)[1:]) == ["failed", "not", "not", "not", "not"]


def test_a_sorted_table_stays_sorted_when_the_metric_changes(page: Any) -> None:
    header(page, 2).find_element(By.TAG_NAME, "button").click()
    Select(find(page, "#metric")).select_by_value("ari")
    assert header(page, 2).get_attribute("aria-sort") == "descending"
    assert find(page, f"{FIRST} caption").text.startswith("ARI (%).")
    Select(find(page, "#metric")).select_by_value("seconds")
    assert find(page, f"{FIRST} caption").text.startswith("seconds per run.")
    assert values(page, 2)[0] == "1.5"
    assert "No statistics of seconds per run" in find(page, "#stats").text
    page.get(page.current_url)
    Select(find(page, "#metric")).select_by_value("seconds")
    header(page, 2).find_element(By.TAG_NAME, "button").click()
    assert header(page, 2).get_attribute("aria-sort") == "ascending"  # the best first: here the shortest


def test_rows_and_columns_can_be_chosen(page: Any) -> None:
    find(page, "#query").send_keys("l")
    assert names(page) == ["leiden", "louvain", "alpha"]
    find(page, "#query").send_keys(Keys.BACKSPACE)
    methods, datasets = page.find_elements(By.CSS_SELECTOR, ".choice")
    methods.find_element(By.TAG_NAME, "summary").click()
    methods.find_element(By.XPATH, ".//label[normalize-space()='leiden']/input").click()
    assert "leiden" not in names(page)
    assert methods.find_element(By.TAG_NAME, "summary").text == "Methods: 5 of 6"
    methods.find_element(By.XPATH, ".//button[.='none']").click()
    assert names(page) == []
    assert "No row matches." in find(page, FIRST).text
    methods.find_element(By.XPATH, ".//button[.='all']").click()
    methods.find_element(By.TAG_NAME, "summary").click()
    datasets.find_element(By.TAG_NAME, "summary").click()
    datasets.find_element(By.XPATH, ".//label[normalize-space()='d']/input").click()
    assert texts(page, f"{FIRST} thead .name") == ["method", "e", "f", *MORE]


def test_datasets_can_be_rows_and_values_shaded(page: Any) -> None:
    page.find_element(By.XPATH, "//label[contains(., 'datasets as rows')]/input").click()
    assert names(page) == ["d", "e", "f", *MORE]
    assert texts(page, f"{FIRST} tbody tr:first-child td")[-1].startswith("70.5 ± 0.7")
    page.find_element(By.XPATH, "//label[contains(., 'shade by value')]/input").click()
    shades = page.execute_script(
        f"return [...document.querySelectorAll('{FIRST} tbody tr:first-child td.shaded')]"
        ".map((one) => one.style.getPropertyValue('--shade'))"
    )
    assert [shade for shade in shades if shade] == ["0%", "9%", "45%", "27%"]
    page.find_element(By.XPATH, "//label[contains(., 'runs and K')]/input").click()
    assert "K 3/3" not in find(page, FIRST).text


def test_a_cell_shows_what_stands_behind_it(page: Any) -> None:
    open_cell(page, "m", 2)
    assert find(page, "dialog h2").text == "m on d"
    assert texts(page, "#seeds tbody th") == ["0", "1", "2"]
    assert texts(page, "#seeds tbody td:nth-child(2)") == ["ok", "ok", "error"]
    assert texts(page, "#seeds tbody tr:first-child td:nth-child(3)") == ["70.0"]
    assert len(texts(page, "#seeds code")[0]) == 64
    shown = find(page, "dialog").get_attribute("textContent")
    for part in ("K given3 (rule: true)", "data.sha256sha-of-d", "k1", "0.1.0 abcdef0", "Failed runs", "d/m/"):
        assert part in shown, part
    assert EVIL in shown
    assert f"Traceback of {EVIL}" in shown
    captions = texts(page, "dialog .plot figcaption b")
    assert captions == ["loss", "other", "annotated types", "found clusters"]
    assert len(page.find_elements(By.CSS_SELECTOR, "dialog polyline")) == 4  # two seeds of two logged values
    assert len(page.find_elements(By.CSS_SELECTOR, "dialog circle")) == 120  # each cell in two panels
    assert texts(page, "dialog .mark") == ["1", "2", "0", "1", "2"]
    assert texts(page, "#confusion tbody th") == ["1. T cell (40)", "2. <b>B</b> (20)"]
    counts = [text for text in texts(page, "#confusion tbody td") if text]
    assert sum(map(int, counts)) == 60
    assert page.find_elements(By.CSS_SELECTOR, "dialog b b, dialog img, dialog script") == []


def test_seeds_sort_inside_the_dialog(page: Any) -> None:
    open_cell(page, "m", 2)
    button = header(page, 3, "#seeds").find_element(By.TAG_NAME, "button")
    button.click()
    assert texts(page, "#seeds tbody th") == ["1", "0", "2"]  # the failed one has no score and is last
    header(page, 3, "#seeds").find_element(By.TAG_NAME, "button").click()
    assert texts(page, "#seeds tbody th") == ["0", "1", "2"]


def test_a_cell_without_truth_curves_or_runs_says_so(page: Any) -> None:
    open_cell(page, "m", 4)
    shown = find(page, "dialog").text
    assert "No curves: history.csv of these runs is empty, missing or damaged" in shown
    assert "No clusters to draw: labels.npy of these runs is missing" in shown
    find(page, "dialog .close").click()
    open_cell(page, "alpha", 3)
    assert "The command's details=NAME adds annotated types" in find(page, "dialog").text


def test_everything_works_with_the_keyboard(page: Any) -> None:
    page.execute_script("document.querySelector('#grid-0 thead th:nth-child(2) button').focus()")
    page.switch_to.active_element.send_keys(Keys.ENTER)
    assert header(page, 2).get_attribute("aria-sort") == "descending"
    assert page.switch_to.active_element == header(page, 2).find_element(By.TAG_NAME, "button")
    page.execute_script("document.querySelector('#grid-0 tbody tr:nth-child(1) td:nth-child(2) button').focus()")
    cell = page.switch_to.active_element
    assert cell.value_of_css_property("outline-style") == "solid"
    cell.send_keys(Keys.ENTER)
    assert page.execute_script("return document.querySelector('dialog').open")
    assert page.switch_to.active_element == find(page, "#dialog-title")
    for _ in range(40):  # the focus stays within the dialog (or goes to the browser's own bar)
        page.switch_to.active_element.send_keys(Keys.TAB)
        assert page.execute_script(
            "return document.activeElement === document.body || document.querySelector('dialog').contains(document.activeElement)"
        )
    page.switch_to.active_element.send_keys(Keys.ESCAPE)
    WebDriverWait(page, 10).until(lambda _: not page.execute_script("return document.querySelector('dialog').open"))
    WebDriverWait(page, 10).until(lambda _: page.switch_to.active_element == cell)  # a closing dialog says so later


def test_focus_returns_to_the_cell_although_the_table_was_drawn_anew(page: Any) -> None:
    open_cell(page, "m", 2)
    page.execute_script("dispatchEvent(new Event('beforeprint')); dispatchEvent(new Event('afterprint'))")
    find(page, "dialog .close").click()
    # A closing dialog says so later, and the table was drawn anew: the first look can find a cell that is gone.
    back = WebDriverWait(page, 10, ignored_exceptions=[StaleElementReferenceException])
    back.until(lambda _: page.switch_to.active_element.text.startswith("70.5 ± 0.7"))


def test_failed_runs_are_listed_with_their_reasons(page: Any) -> None:
    rows = texts(page, "#failed tbody tr")
    assert [row.split()[:4] for row in rows] == [["d", "m", "2", "error"], ["f", "m", "0", "error"]]
    assert all(f"ValueError: {EVIL}" in row for row in rows)
    page.execute_script("document.querySelector('#failed button.cell').click()")
    assert find(page, "dialog h2").text == "m on d"


def test_long_tables_are_filtered_and_kept_short(page: Any) -> None:
    box = find(page, "#check-lines input")
    all_rows = len(texts(page, "#check-lines tbody tr"))
    box.send_keys("cicl")
    rows = texts(page, "#check-lines tbody tr")
    assert 0 < len(rows) < all_rows
    assert all("cicl" in row.lower() for row in rows)
    assert page.switch_to.active_element == find(page, "#check-lines input")


def test_colours_follow_the_system_and_the_switch(page: Any) -> None:
    def ground() -> str:
        return str(find(page, "body").value_of_css_property("background-color"))

    assert "255, 255, 255" in ground()
    resize(page, 1280, "dark")
    assert "21, 24, 28" in ground()
    Select(find(page, "#theme")).select_by_value("light")
    assert "255, 255, 255" in ground()
    resize(page, 1280, "light")
    Select(find(page, "#theme")).select_by_value("dark")
    assert "21, 24, 28" in ground()
    Select(find(page, "#theme")).select_by_value("")
    assert "255, 255, 255" in ground()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_never_moves_sideways(page: Any, width: int) -> None:
    resize(page, width)
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
    open_cell(page, "m", 2)
    assert (
        page.execute_script("const box = document.querySelector('dialog'); return box.scrollWidth - box.clientWidth")
        <= 0
    )


def test_wide_tables_are_printed_in_pieces_and_controls_are_not(page: Any) -> None:
    page.execute_script("dispatchEvent(new Event('beforeprint'))")
    resize(page, 1000, media="print")
    pieces = [texts(page, f"#{place} thead .name") for place in ("grid-0", "grid-0-6")]
    assert pieces == [["method", "d", "e", "f", *MORE[:3]], ["method", *MORE[3:]]]
    assert not find(page, ".controls").is_displayed()
    assert not find(page, "nav").is_displayed()
    assert find(page, f"{FIRST} .scroll").value_of_css_property("overflow-x") == "visible"
    page.execute_script("dispatchEvent(new Event('afterprint'))")
    assert len(page.find_elements(By.CSS_SELECTOR, "[id^='grid-0']")) == 1


def test_tables_say_what_they_are_to_a_screen_reader(page: Any) -> None:
    open_cell(page, "m", 2)
    lacking = page.execute_script("""
      const unnamed = (node) => !(node.textContent.trim() || node.getAttribute("aria-label"));
      return {
        captions: [...document.querySelectorAll("table")].filter((one) => !one.caption || unnamed(one.caption)).length,
        heads: document.querySelectorAll("thead th:not([scope=col]), tbody th:not([scope=row])").length,
        sorts: document.querySelectorAll("thead th:not([aria-sort])").length,
        buttons: [...document.querySelectorAll("button, summary, a")].filter(unnamed).length,
        inputs: [...document.querySelectorAll("input, select")].filter((one) => one.labels.length === 0).length,
        drawings: document.querySelectorAll("svg:not([role=img][aria-label]), img:not([alt])").length,
        regions: document.querySelectorAll(".scroll:not([tabindex='0'][role=region][aria-label])").length,
        ids: [...document.querySelectorAll("[id]")].length - new Set([...document.querySelectorAll("[id]")].map((one) => one.id)).size,
      };
    """)
    assert lacking == dict.fromkeys(lacking, 0)
    assert find(page, "dialog").get_attribute("aria-labelledby") == "dialog-title"
    assert find(page, "html").get_attribute("lang") == "en"


def test_markers_of_one_method_at_a_time(page: Any) -> None:
    assert "Marker genes" in texts(page, "nav a")
    section = find(page, "#markers")
    page.execute_script("arguments[0].scrollIntoView({behavior: 'instant'})", section)
    assert "not calibrated (double dipping)" in section.text
    assert texts(page, "#marker-means tbody th") == ["random", "alpha", "by chance"]
    means = texts(page, "#marker-means tbody td:nth-child(2)")
    assert means[1].endswith("(3/4)")
    find(page, "#marker-means thead th:nth-child(2) button").click()
    assert texts(page, "#marker-means tbody th") == ["alpha", "random", "by chance"]  # numbers, whatever is behind them
    assert find(page, "#marker-table caption").text == "Best markers of annotated types on d"
    assert EVIL in find(page, "#marker-table tbody .genes").text
    assert page.find_elements(By.CSS_SELECTOR, "#marker-types") == []
    Select(find(page, "#marker-method")).select_by_visible_text("alpha")
    assert find(page, "#marker-table caption").text == "Best markers of alpha on d, seed 0"
    assert len(texts(page, "#marker-table tbody tr")) == 3
    assert "Not tested: 3 (1 cell)." in find(page, "#marker-clusters").text
    assert len(find(page, "#marker-table tbody .genes").text.split(", ")) == 20
    assert "markers of alpha on d" in find(page, "#said").get_attribute("textContent")


def test_overlaps_with_types_are_drawn_when_opened(page: Any) -> None:
    Select(find(page, "#marker-dataset")).select_by_visible_text("e")
    Select(find(page, "#marker-method")).select_by_visible_text("alpha")
    details = find(page, "#marker-types")
    assert details.find_elements(By.TAG_NAME, "table") == []
    page.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", details)
    details.find_element(By.TAG_NAME, "summary").click()
    WebDriverWait(page, 5).until(lambda _: details.find_elements(By.CSS_SELECTOR, "tbody tr"))
    assert len(texts(page, "#marker-overlap tbody tr")) == 12
    assert len(texts(page, "#marker-overlap thead th")) == 13
    Select(find(page, "#marker-dataset")).select_by_visible_text("d")
    assert find(page, "#marker-method").get_attribute("value") == "2"  # alpha stays chosen
    assert page.find_elements(By.CSS_SELECTOR, "#marker-overlap") == []


@pytest.mark.parametrize("width", [390, 1280])
def test_markers_do_not_move_the_page_sideways(page: Any, width: int) -> None:
    resize(page, width)
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
    genes = find(page, "#marker-table .genes")
    assert genes.size["width"] <= 0.8 * width
