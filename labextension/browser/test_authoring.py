"""New blocks and new pipelines, in JupyterLab and in Notebook 7, for everybody's eyes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from .userpath import chip, dark, menu, node, open_run, run

PACKAGES = Path(__file__).parents[2] / "node_modules"
CONTRAST = (Path(__file__).parent / "contrast.js").read_text("utf-8")


def test_a_template_becomes_a_tagged_cell(page: Page) -> None:
    """Found by a word, inserted below the active cell, with a name that is free."""
    node(page, "load_names").click()
    menu(page, "Insert a Block")
    dialog = page.locator(".jp-Dialog")
    dialog.get_by_label("Search").fill("sqlite")
    expect(dialog.get_by_role("option")).to_have_count(1)
    expect(dialog.locator("pre")).to_contain_text("sqlite3.connect")
    dialog.get_by_role("button", name="Insert").click()
    expect(chip(page, "load_sqlite")).to_be_visible()
    expect(page.locator(".jp-Cell.jp-mod-active .cm-content")).to_contain_text("sqlite3.connect")


def test_the_launcher_makes_a_pipeline_that_runs(page: Page, lab: str, project: Path) -> None:
    """A new notebook with a small pipeline in it."""
    page.goto(f"{lab}/lab/tree/{project.name}?token=secret&reset")
    page.locator(".jp-LauncherCard", has_text="Pipeline Notebook").click()
    tab = page.locator('li[data-id="jupyter-blocks"]')
    if "lm-mod-current" not in (tab.get_attribute("class") or ""):
        tab.click()
    expect(page.locator(".jp-Blocks-node")).to_have_count(3)
    run(page)
    expect(page.locator(".jp-Blocks-summary")).to_have_text("3 blocks · 3 fresh")


def test_a_new_kernel_runs_the_last_cell_alone(page: Page) -> None:
    """After a run of the pipeline its outputs are the inputs of a cell, in any kernel."""
    run(page)
    node(page, "worst_routes").click()
    page.locator(".jp-Cell.jp-mod-active .cm-content").click()
    page.keyboard.press("Control+Enter")
    cell = page.locator(".jp-Cell.jp-mod-active")
    expect(cell.locator(".jp-InputPrompt")).to_have_text(re.compile(r"\[\d+\]:"))
    expect(cell.locator(".jp-RenderedHTMLCommon table").first).to_contain_text("airport")
    expect(cell.locator(".jp-OutputArea")).not_to_contain_text("NameError")
    page.get_by_role("button", name="Restart the kernel", exact=True).click()
    page.locator(".jp-Dialog").get_by_role("button", name="Confirm Kernel Restart").click()
    expect(page.locator(".jp-Dialog")).to_have_count(0)
    page.locator(".jp-Cell.jp-mod-active .cm-content").click()
    page.keyboard.press("Control+Enter")
    expect(cell.locator(".jp-InputPrompt")).to_have_text("[1]:")
    expect(cell.locator(".jp-OutputArea")).not_to_contain_text("NameError")


def test_notebook_7_has_the_essentials(browser: Any, lab: str, project: Path) -> None:
    """Chips, the sidebar, a run."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(60_000)
    page.goto(f"{lab}/notebooks/{project.name}/flights.ipynb?token=secret")
    expect(chip(page, "load_flights")).to_be_visible()
    menu(page, "Show Blocks")
    expect(page.locator(".jp-Blocks-node")).to_have_count(11)
    run(page)
    expect(page.locator(".jp-Blocks-summary")).to_contain_text("11 fresh")
    expect(chip(page, "load_flights")).to_contain_text("27,004 rows")
    page.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everybody_can_read_and_reach_it(page: Page, theme: str) -> None:
    """No violation that axe finds, and text in drawings stands out from what is behind it."""
    if theme == "dark":
        dark(page)
    run(page)
    node(page, "delay_by_carrier").click()
    expect(page.locator(".jp-Blocks-grid canvas").first).to_be_visible()
    _check(page)
    for tab in ("Problems", "Log"):
        page.get_by_role("tab", name=tab).click()
        _check(page)
    open_run(page)
    _check(page)


def _check(page: Page) -> None:
    page.add_script_tag(path=str(PACKAGES / "axe-core" / "axe.min.js"))
    found: dict[str, Any] = page.evaluate(
        """() => {
            const all = [...document.querySelectorAll('.jp-Blocks')];
            const seen = all.filter(node => node.offsetParent);
            const how = {resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa']};
            return axe.run({include: seen}, how);
        }"""
    )
    problems = [
        (violation["id"], [node["html"][:200] for node in violation["nodes"]][:3])
        for violation in found["violations"]
    ]
    assert problems == []
    faint = page.evaluate(CONTRAST)
    assert faint == [], json.dumps(faint, indent=1)
