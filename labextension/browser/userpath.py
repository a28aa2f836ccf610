"""What a user does, in the words of the tests."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

expect.set_options(timeout=60_000)


def node(page: Page, name: str) -> Locator:
    """A block in the graph."""
    return page.locator(f'.jp-Blocks-node[data-block="{name}"]')


def chip(page: Page, name: str) -> Locator:
    """The line above the cell of a block."""
    return page.locator(".jp-Blocks-chipLine", has=page.get_by_text(name, exact=True))


def start(page: Page) -> None:
    """Start a run of what has changed, and wait until it is followed."""
    header = page.locator(".jp-Blocks-header")
    before = header.get_attribute("data-run") or "none"
    page.get_by_role("button", name="Run changed").click()
    expect(page.locator(f'.jp-Blocks-header[data-run]:not([data-run="{before}"])')).to_be_visible()


def run(page: Page) -> None:
    """Run what has changed, to the end, however quick that is."""
    start(page)
    expect(page.locator(".jp-Blocks-header")).not_to_have_attribute("data-status", "RUNNING")


def insert_line(page: Page, block: str, text: str) -> None:
    """Write a new first line into the cell of a block."""
    node(page, block).click()
    editor = page.locator(".jp-Cell.jp-mod-active .cm-content")
    editor.click()
    page.keyboard.press("Control+Home")
    page.keyboard.type(f"{text}\n")


def menu(page: Page, label: str) -> None:
    """Choose something in the menu Blocks."""
    page.get_by_role("menuitem", name="Blocks", exact=True).click()
    page.locator(".lm-Menu-item", has_text=label).click()


def open_run(page: Page) -> Locator:
    """The newest run, in the main area."""
    page.get_by_role("tab", name="Runs").click()
    page.locator(".jp-Blocks-runs li button").first.click()
    view = page.locator(".jp-Blocks-runView:visible")
    expect(view).to_have_count(1)
    return view


def dark(page: Page) -> None:
    """Switch to the dark theme."""
    page.get_by_role("menuitem", name="Settings", exact=True).click()
    page.locator(".lm-Menu-item", has_text="Theme").first.hover()
    page.get_by_text("JupyterLab Dark", exact=True).click()
    expect(page.locator("body[data-jp-theme-light='false']")).to_have_count(1)
