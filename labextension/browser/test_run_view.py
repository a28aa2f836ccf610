"""Runs in the main area: their timeline, logs, errors, and the ways on from there."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from .userpath import chip, insert_line, menu, node, open_run, run, start


def test_a_run_says_what_happened_and_why(page: Page) -> None:
    """A row for each block with its time, what it stored, and the reason of each choice."""
    run(page)
    view = open_run(page)
    expect(page.locator(".lm-TabBar-tabLabel", has_text="Run · flights")).to_be_visible()
    expect(view.locator(".jp-Blocks-timeRow[data-block]")).to_have_count(11)
    expect(view.locator(".jp-Blocks-bar[data-phase='SUCCEEDED']")).to_have_count(11)
    expect(view.locator(".jp-Blocks-runHeader")).to_contain_text("11 of 11 done")
    view.locator("[data-block='load_flights']").click()
    expect(view.locator(".jp-Blocks-runDetails")).to_contain_text("flights")
    expect(view.locator(".jp-Blocks-runDetails")).to_contain_text("27,004 rows")
    expect(view.locator(".jp-Blocks-runDetails")).to_contain_text("Executor local_python: default.")
    page.keyboard.press("ArrowDown")
    expect(view.locator("[data-block='load_weather']")).to_be_focused()
    view.get_by_role("tab", name="Plan").click()
    rows = view.locator(".jp-Blocks-plan tbody tr")
    expect(rows).to_have_count(11)
    expect(rows.first).to_contain_text("local_python")


def test_what_a_block_prints_is_there_to_read_and_search(page: Page) -> None:
    """Line by line with its time; a search keeps the lines that have the word."""
    insert_line(page, "load_names", "print(*range(300), sep=chr(10))")
    run(page)
    view = open_run(page)
    view.locator("[data-block='load_names']").click()
    expect(view.locator(".jp-Blocks-logLine").last).to_contain_text("299")
    view.get_by_label("Search in the log").fill("17")
    expect(view.locator(".jp-Blocks-logBar")).to_contain_text("13 lines")
    expect(view.locator(".jp-Blocks-logLine mark").first).to_have_text("17")
    view.get_by_label("Search in the log").fill("")
    view.get_by_role("tab", name="All blocks").click()
    expect(view.locator(".jp-Blocks-logLine").last).to_contain_text("load_names")


def test_an_error_leads_to_its_line_and_back_to_work(page: Page) -> None:
    """Cell and line of the error, the way there, and the failed part run again."""
    insert_line(page, "delay_by_hour", "1 / 0")
    run(page)
    view = open_run(page)
    card = view.locator(".jp-Blocks-card.jp-mod-failed")
    expect(card).to_contain_text("delay_by_hour failed")
    expect(card).to_contain_text("ZeroDivisionError: division by zero")
    expect(card).to_contain_text("Cell 16, line 1")
    expect(view.locator(".jp-Blocks-bar[data-phase='FAILED']")).to_have_count(1)
    expect(view.locator("[data-block='write_database']")).to_contain_text("upstream failed")
    card.get_by_role("button", name="Go to the cell").click()
    expect(page.locator(".jp-Cell.jp-mod-active .cm-content")).to_contain_text("1 / 0")
    page.keyboard.press("Control+Home")
    page.keyboard.press("Shift+End")
    page.keyboard.press("Delete")
    run(page)
    expect(page.locator(".jp-Blocks-summary")).to_have_text("11 blocks · 11 fresh")


def test_a_run_is_cancelled_and_gone_on_with(page: Page, project: Path) -> None:
    """What was done stays done; the rest runs in the next one."""
    gate = project / "gate"
    insert_line(
        page,
        "join_weather",
        "import time, pathlib; [time.sleep(0.1) for _ in range(600) "
        "if not pathlib.Path('gate').exists()]",
    )
    start(page)
    expect(node(page, "join_weather")).to_have_attribute("aria-label", re.compile("running"))
    view = open_run(page)
    expect(view.locator(".jp-Blocks-bar[data-phase='RUNNING']")).to_have_count(1)
    view.get_by_role("button", name="Cancel").click()
    expect(view.locator(".jp-Blocks-runHeader")).to_have_attribute("data-status", "CANCELLED")
    expect(view.locator("[data-block='load_flights']")).not_to_contain_text("cancelled")
    gate.touch()
    view.get_by_role("button", name="Resume").click()
    again = page.locator(".jp-Blocks-runView:visible")
    expect(again.locator(".jp-Blocks-runHeader")).to_have_attribute("data-status", "SUCCEEDED")


def test_a_run_with_other_parameters(page: Page) -> None:
    """The form is made of the parameters cell; what is not meant is refused; the run has it."""
    page.locator(".jp-Blocks-pills button").first.click()
    form = page.get_by_role("form", name="How to run")
    form.get_by_label("month").fill("many")
    expect(form.get_by_role("alert")).to_have_text("A number is expected.")
    expect(form.get_by_role("button", name="Use for the next runs")).to_be_disabled()
    form.get_by_label("month").fill("2")
    form.get_by_role("button", name="Use for the next runs").click()
    expect(page.locator(".jp-Blocks-pill.jp-mod-changed")).to_have_text("month 2")
    run(page)
    view = open_run(page)
    expect(view.locator(".jp-Blocks-runHeader")).to_contain_text("month 2")


def test_what_would_run_is_shown_before_it_does(page: Page) -> None:
    """Every block with what happens to it and why; nothing has run."""
    menu(page, "Show What Would Run")
    dialog = page.locator(".jp-Dialog")
    expect(dialog.locator("tbody tr")).to_have_count(11)
    expect(dialog).to_contain_text("11 of 11 blocks would run")
    dialog.get_by_role("button", name="Cancel").click()
    expect(page.locator(".jp-Blocks-header")).not_to_have_attribute("data-run", re.compile("."))


def test_files_changed_by_hand_are_shown_before_they_are_overwritten(
    page: Page, project: Path
) -> None:
    """A difference, and a choice; nothing is lost without one."""
    run(page)
    path = project / "transformers" / "delay_by_hour.py"
    text = path.read_text("utf-8")
    path.write_text(text.replace("by_hour = (", "by_hour = (  # by hand"), "utf-8")
    insert_line(page, "load_names", "print('again')")
    expect(page.locator(".jp-Blocks-drift")).to_be_visible()
    page.get_by_role("button", name="Run changed").click()
    dialog = page.locator(".jp-Dialog")
    expect(dialog).to_contain_text("Files were changed by hand")
    expect(dialog.locator("[data-mark='-']", has_text="# by hand")).to_be_visible()
    dialog.get_by_role("button", name="Cancel").click()
    assert "# by hand" in path.read_text("utf-8")
    menu(page, "Export Block Files")
    dialog.get_by_role("button", name="Overwrite").click()
    expect(page.locator(".jp-Blocks-drift")).to_have_count(0)
    assert path.read_text("utf-8") == text


def test_changes_of_files_are_taken_into_the_notebook(page: Page, project: Path) -> None:
    """The cell has them then, and what was changed on both sides is asked for."""
    run(page)
    path = project / "transformers" / "delay_by_hour.py"
    change = "by_hour = (  # by hand"
    path.write_text(path.read_text("utf-8").replace("by_hour = (", change), "utf-8")
    menu(page, "Export Block Files")
    dialog = page.locator(".jp-Dialog")
    dialog.get_by_role("button", name="Take into the Notebook").click()
    cell = page.locator(".jp-Cell", has=chip(page, "delay_by_hour"))
    expect(cell.locator(".cm-content")).to_contain_text("# by hand")
    node(page, "delay_by_hour").click()
    path.write_text(path.read_text("utf-8").replace("# by hand", "# again"), "utf-8")
    page.locator(".jp-Cell.jp-mod-active .cm-content").click()
    page.keyboard.press("Control+Home")
    page.keyboard.press("End")
    page.keyboard.type(" too")
    menu(page, "Export Block Files")
    dialog.get_by_role("button", name="Take into the Notebook").click()
    expect(dialog).to_contain_text("Changed in the notebook and in the file")
    expect(dialog.locator("pre").first).to_contain_text("# by hand too")
    dialog.get_by_role("button", name="Keep the File").click()
    expect(cell.locator(".cm-content")).to_contain_text("# again")
