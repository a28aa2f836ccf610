"""Stored outputs: rows, statistics, charts and changes, in the sidebar and in a tab."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import PATIENCE_MS

expect.set_options(timeout=PATIENCE_MS)


def blocks(folder: Path, *words: str) -> None:
    """Do what a command of `jupyter blocks` does."""
    command = [sys.executable, "-m", "jupyter_blocks", *words]
    done = subprocess.run(command, check=False, capture_output=True, cwd=folder)
    assert done.returncode == 0, done.stderr.decode()


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo project that has run."""
    folder = tmp_path_factory.mktemp("ran")
    blocks(folder, "init", "demo")
    blocks(folder / "demo", "run", "flights.ipynb")
    return folder / "demo"


@pytest.fixture
def project(ran: Path, root: Path, request: pytest.FixtureRequest) -> Path:
    """A copy of it for each test."""
    return shutil.copytree(ran, root / request.node.name)


def open_output(page: Page, block: str) -> Locator:
    """The tab of the output of a block."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator(f'.jp-Blocks-node[data-block="{block}"]').click()
    page.locator(".jp-Blocks-preview").get_by_role("button", name="in a tab").click()
    tab = page.locator(".jp-Blocks-output")
    expect(tab.locator("h2")).to_have_text(block)
    return tab


def copied(page: Page, tab: Locator) -> str:
    """The value of the cell in the first column and the first row."""
    box = tab.locator(".jp-Blocks-grid").bounding_box()
    assert box
    page.mouse.click(box["x"] + 75, box["y"] + 58 + 11)
    page.keyboard.press("Control+c")
    expect(tab.locator(".jp-Blocks-rows")).to_have_text("Copied 1 × 1 cells")
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def filter_by(page: Page, tab: Locator, column: str) -> Locator:
    """The form of the filter of a column."""
    tab.get_by_role("button", name="Filter and sort").click()
    form = page.locator(".jp-Blocks-filter")
    form.get_by_label("Column", exact=True).select_option(column)
    return form


def test_rows_are_sorted_by_a_click_and_copied(page: Page) -> None:
    """Up, then down; what is copied are the values, in the order that is shown."""
    tab = open_output(page, "load_names")
    tab.get_by_label("Output").select_option("airports")
    tab = page.locator(".jp-Blocks-output:visible")
    rows = tab.locator(".jp-Blocks-rows")
    expect(rows).to_have_text("1,458 rows")
    texts = []
    for _ in range(2):
        box = tab.locator(".jp-Blocks-grid").bounding_box()
        assert box
        page.mouse.click(box["x"] + 75, box["y"] + 40)
        expect(tab.locator(".jp-Blocks-data")).to_have_attribute("aria-busy", "false")
        texts.append(copied(page, tab))
        expect(rows).to_have_text("1,458 rows")
    assert texts[0] < texts[1]
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Control+c")
    expect(rows).to_have_text("Copied 2 × 2 cells")
    lines = page.evaluate("navigator.clipboard.readText()").split("\n")
    assert [line.count("\t") for line in lines] == [1, 1]


def test_filters_and_search_say_how_many_rows_match(page: Page) -> None:
    """By the type of the column; chips tell what is filtered, and end it."""
    tab = open_output(page, "load_flights")
    rows = tab.locator(".jp-Blocks-rows")
    expect(rows).to_have_text("27,004 rows")
    form = filter_by(page, tab, "carrier")
    form.locator(".jp-Blocks-checklist").get_by_label("UA").check()
    form.get_by_role("button", name="Apply").click()
    expect(rows).to_have_text(re.compile(r"^[\d,]+ of 27,004 rows match$"))
    form = filter_by(page, tab, "distance")
    form.get_by_label("From").fill("far")
    expect(form.get_by_role("alert")).to_have_text("No number.")
    form.get_by_label("From").fill("2500")
    form.get_by_label("From").press("Enter")
    chips = tab.locator(".jp-Blocks-filterChip")
    expect(chips).to_have_text(["carrier = UA", "distance ≥ 2500"])
    tab.get_by_label("Search all columns").fill("sfo")
    expect(chips).to_have_text(["“sfo”", "carrier = UA", "distance ≥ 2500"])
    tab.get_by_label("Search all columns").fill("nowhere to be found")
    expect(rows).to_have_text("0 of 27,004 rows match")
    tab.get_by_role("button", name="Show all rows").click()
    expect(rows).to_have_text("27,004 rows")
    expect(chips).to_have_count(0)


def test_statistics_show_each_column(page: Page) -> None:
    """In a line, and one of them in large, chosen with the arrow keys as well."""
    tab = open_output(page, "load_flights")
    tab.get_by_role("tab", name="Statistics").click()
    lines = tab.locator("tbody tr")
    lines.filter(has_text="dep_delay").click()
    details = tab.locator(".jp-Blocks-details")
    expect(details.locator("h3")).to_have_text("dep_delay")
    expect(details.locator(".jp-Blocks-plot rect").first).to_be_visible()
    expect(details).to_contain_text("Median")
    page.keyboard.press("ArrowDown")
    expect(details.locator("h3")).not_to_have_text("dep_delay")


def test_charts_are_drawn_of_what_one_chooses(page: Page) -> None:
    """Bars, lines, dots and histograms, split by colours; from all rows, or it is said."""
    tab = open_output(page, "load_flights")
    tab.get_by_role("tab", name="Chart").click()
    plot, source = tab.locator(".jp-Blocks-plot:visible"), tab.locator(".jp-Blocks-source:visible")
    expect(plot.locator("rect").first).to_be_visible()
    tab.get_by_label("X", exact=True).select_option("carrier")
    tab.get_by_label("Colour").select_option("origin")
    expect(tab.locator(".jp-Blocks-legend > span")).to_have_count(3)
    expect(source).to_contain_text("From all 27,004 rows")
    tab.get_by_role("button", name="Line").click()
    tab.get_by_label("X", exact=True).select_option("hour")
    tab.get_by_label("Y", exact=True).select_option("dep_delay")
    expect(plot.get_by_role("img", name="mean of dep_delay by hour")).to_be_visible()
    expect(plot.locator(".jp-Blocks-line")).to_have_count(3)
    tab.get_by_role("button", name="Scatter").click()
    tab.get_by_label("X", exact=True).select_option("distance")
    expect(source).to_have_text("2,000 of 27,004 rows, spread evenly")
    box = plot.bounding_box()
    assert box
    tip = plot.locator(".jp-Blocks-plotTip")
    for step in range(1, 30):
        page.mouse.move(box["x"] + box["width"] * step / 30, box["y"] + box["height"] * 0.8)
        if tip.count():
            break
    expect(tip).to_be_visible()
    tab.get_by_role("button", name="Histogram").click()
    expect(plot.get_by_role("img", name="Histogram of distance")).to_be_visible()


def test_a_tab_follows_runs_tells_changes_and_comes_back(page: Page, project: Path) -> None:
    """A run in another process is shown without being asked for, beside the one before."""
    tab = open_output(page, "load_flights")
    expect(tab.locator(".jp-Blocks-outputHead")).to_contain_text("27,004 rows")
    tab.get_by_role("tab", name="Changes").click()
    expect(tab).to_contain_text("Nothing to compare with")
    blocks(project, "run", "flights.ipynb", "--param", "month=2")
    expect(tab).to_contain_text("27,004 → 24,951")
    expect(tab.locator("tbody th").first).to_have_text(re.compile("month|time|day"))
    page.wait_for_timeout(1500)  # the layout is saved a little later
    page.goto(page.url.replace("reset", ""))
    expect(page.locator(".jp-Blocks-outputHead")).to_contain_text("24,951 rows")


def test_the_sidebar_sorts_too_and_figures_are_pictures(page: Page) -> None:
    """With the same grid, in less room."""
    page.locator('.jp-Blocks-node[data-block="load_flights"]').click()
    panel = page.locator(".jp-Blocks-preview")
    box = panel.locator(".jp-Blocks-grid").bounding_box()
    assert box
    expect(panel.locator(".jp-Blocks-dataBar")).to_have_count(0)
    page.locator('.jp-Blocks-node[data-block="save_figure"]').click()
    picture = panel.locator("img")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.complete && image.naturalWidth > 0")


def test_files_can_be_downloaded(page: Page, tmp_path: Path) -> None:
    """A link to a CSV that holds every row."""
    tab = open_output(page, "load_flights")
    with page.expect_download() as waiting:
        tab.get_by_role("link", name="CSV").click()
    path: Any = waiting.value.path()
    assert Path(path).read_bytes().count(b"\n") == 27_005
    assert waiting.value.suggested_filename == "load_flights-flights.csv"
