"""The user's path: see the pipeline, run it, look at results, break a cell and mend it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from .conftest import open_notebook
from .userpath import chip, insert_line, node, run


def test_the_notebook_is_a_pipeline(page: Page) -> None:
    """Eleven blocks, each with its line above the cell, none run; a click goes to the cell."""
    expect(page.locator(".jp-Blocks-node")).to_have_count(11)
    expect(page.locator(".jp-Blocks-summary")).to_have_text("11 blocks")
    expect(page.locator(".jp-Blocks-pill").first).to_have_text("month 1")
    assert node(page, "load_flights").get_attribute("aria-label") == (
        "load_flights, Loader, never run, never run"
    )
    node(page, "worst_routes").click()
    line = chip(page, "worst_routes")
    expect(line).to_be_visible()
    expect(line.locator(".jp-Blocks-flow")).to_have_text("joined, airports, top_n → routes")
    title = line.locator(".jp-Blocks-flow").get_attribute("title")
    assert title
    assert "'joined', which cell" in title


def test_it_runs_and_shows_what_it_computed(page: Page) -> None:
    """Live states, then rows and times, a table with its columns, and a run in the list."""
    run(page)
    expect(page.locator(".jp-Blocks-summary")).to_have_text("11 blocks · 11 fresh")
    expect(page.locator(".Toastify__toast", has_text="flights succeeded in")).to_be_visible()
    node(page, "delay_by_carrier").click()
    note = node(page, "delay_by_carrier").locator(".jp-Blocks-nodeNote")
    expect(note).to_have_text(re.compile(r"^14 rows · [\d.]+ m?s$"))
    expect(chip(page, "delay_by_carrier")).to_contain_text("fresh")
    expect(page.locator(".jp-Blocks-preview header")).to_contain_text("14 rows")
    expect(page.locator(".jp-Blocks-grid canvas").first).to_be_visible()
    page.get_by_role("tab", name="Runs").click()
    expect(page.locator(".jp-Blocks-runs li")).to_have_count(1)


def test_a_failing_block_is_found_and_mended(page: Page) -> None:
    """Cell and line of the error, what did not run, and the way back."""
    run(page)
    insert_line(page, "delay_by_hour", "1 / 0")
    expect(chip(page, "delay_by_hour")).to_contain_text("stale")
    expect(node(page, "load_flights")).to_have_attribute("aria-label", re.compile("fresh"))
    run(page)
    page.get_by_role("tab", name="Runs").click()
    failure = page.locator(".jp-Blocks-failure")
    expect(failure).to_contain_text("delay_by_hour failed")
    expect(failure).to_contain_text("ZeroDivisionError: division by zero")
    expect(failure.get_by_role("button")).to_have_text("Cell 16, line 1")
    expect(chip(page, "delay_by_hour")).to_contain_text("failed")
    expect(node(page, "write_database")).to_have_attribute("aria-label", re.compile("not run"))
    failure.get_by_role("button").click()
    page.keyboard.press("Control+Home")
    page.keyboard.press("Shift+End")
    page.keyboard.press("Delete")
    run(page)
    expect(page.locator(".jp-Blocks-summary")).to_have_text("11 blocks · 11 fresh")


def test_problems_are_listed_with_their_place(page: Page) -> None:
    """Before anything runs: no run can be started until they are mended."""
    insert_line(page, "load_names", "print(nothing)")
    page.get_by_role("tab", name="Problems").click()
    problem = page.locator(".jp-Blocks-problems li")
    expect(problem).to_contain_text("reads 'nothing', which no cell sets")
    expect(problem.get_by_role("button")).to_have_text("Cell 8, line 1")
    expect(page.get_by_role("button", name="Run changed")).to_be_disabled()


def test_a_problem_is_mended_with_a_click(page: Page) -> None:
    """A cell that lost its tag is told of, and gets one again from the list."""
    node(page, "load_names").click()
    chip(page, "load_names").locator(".jp-Blocks-chipButton").click()
    form = page.locator(".jp-Blocks-form")
    form.get_by_label("Type").select_option("none")
    form.get_by_role("button", name="Apply").click()
    page.get_by_role("tab", name="Problems").click()
    problems = page.locator(".jp-Blocks-problems li")
    expect(problems.first).to_contain_text("'airlines'")
    expect(page.get_by_role("button", name="Run changed")).to_be_disabled()
    problems.first.get_by_role("button", name="Tag cell 8 as transformer").click()
    expect(problems).to_have_count(0)
    expect(page.locator(".jp-Blocks-node")).to_have_count(11)
    expect(page.get_by_role("button", name="Run changed")).to_be_enabled()


def test_a_deleted_cell_comes_back_as_a_block(page: Page) -> None:
    """After an undo the cell has its line again, and the graph its block."""
    node(page, "load_names").click()
    page.locator(".jp-Cell.jp-mod-active .jp-InputPrompt").click()
    page.keyboard.press("d")
    page.keyboard.press("d")
    expect(node(page, "load_names")).to_have_count(0)
    page.keyboard.press("z")
    expect(chip(page, "load_names")).to_be_visible()
    expect(node(page, "load_names")).to_be_visible()


def test_tagging_can_be_undone(page: Page) -> None:
    """As any other edit of a cell; the line above it and the graph follow."""
    node(page, "load_names").click()
    chip(page, "load_names").locator(".jp-Blocks-chipButton").click()
    form = page.locator(".jp-Blocks-form")
    form.get_by_label("Name").fill("read_names")
    form.get_by_role("button", name="Apply").click()
    expect(chip(page, "read_names")).to_be_visible()
    page.locator(".jp-Cell.jp-mod-active .cm-content").click()
    page.keyboard.press("Control+z")
    expect(chip(page, "load_names")).to_be_visible()
    expect(node(page, "load_names")).to_be_visible()


def test_the_form_writes_tags(page: Page, project: Path) -> None:
    """Type, name and executor of a cell, with the tags of others kept."""
    node(page, "load_names").click()
    chip(page, "load_names").locator(".jp-Blocks-chipButton").click()
    form = page.locator(".jp-Blocks-form")
    form.get_by_label("Name").fill("Bad name")
    expect(form.get_by_role("alert")).to_be_visible()
    form.get_by_label("Name").fill("read_names")
    form.get_by_label("Type").select_option("custom")
    form.get_by_role("button", name="Apply").click()
    node(page, "read_names").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+s")
    expect(page.locator(".jp-mod-dirty")).to_have_count(0)
    cells: list[dict[str, Any]] = json.loads((project / "flights.ipynb").read_text("utf-8"))[
        "cells"
    ]
    assert ["custom:read_names"] in [cell["metadata"].get("tags") for cell in cells]


def test_an_untagged_notebook_becomes_a_pipeline(page: Page, project: Path, lab: str) -> None:
    """The proposal is shown first, and applied as one wants it."""
    sources = [
        "import pandas as pd\ndf = pd.DataFrame({'a': [1, 2]})",
        "b = df * 2",
        "b.to_csv('x')",
    ]
    metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    cells = [
        {
            "cell_type": "code",
            "id": f"cell-{number}",
            "metadata": {},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for number, source in enumerate(sources)
    ]
    document = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    (project / "plain.ipynb").write_text(json.dumps(document), "utf-8")
    open_notebook(page, f"{lab}/lab/tree/{project.name}/plain.ipynb?token=secret")
    page.get_by_role("button", name="Make pipeline").click()
    review = page.locator(".jp-Blocks-review")
    expect(review.locator("li")).to_have_count(3)
    expect(review).to_contain_text("It makes 'b' from 'df'.")
    review.get_by_role("button", name="Cell 2").click()
    shown = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    expect(shown.locator(".jp-Cell.jp-mod-active .cm-content")).to_have_text("b = df * 2")
    review.get_by_label("Name of cell 2").fill("doubled")
    review.get_by_label("Tag cell 3").uncheck()
    review.get_by_role("button", name="Tag 2 cells").click()
    expect(page.locator(".jp-Blocks-node")).to_have_count(2)
    expect(node(page, "doubled")).to_be_visible()
