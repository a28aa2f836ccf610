"""JupyterLab on a copy of the demo project, and Chromium looking at it.

`make test-lab` builds the plugin first and runs these tests. They are not below `tests/`, because
the event loop of the fixtures there and that of the browser do not get along.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .labserver import chromium, running_lab

PATIENCE_MS = 60_000


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, without a window."""
    with chromium() as found:
        yield found


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root folder of the server."""
    return tmp_path_factory.mktemp("root")


@pytest.fixture
def project(root: Path, request: pytest.FixtureRequest) -> Path:
    """A new demo project, one for each test."""
    folder = root / request.node.name
    command = [sys.executable, "-m", "jupyter_blocks", "init", str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def lab(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a JupyterLab on the root folder."""
    with running_lab(root, tmp_path_factory.mktemp("home")) as address:
        yield address


@pytest.fixture
def page(browser: Any, lab: str, project: Path) -> Iterator[Any]:
    """The notebook of the demo with the sidebar open; errors of the page fail the test."""
    found = browser.new_page(viewport={"width": 1440, "height": 900})
    found.set_default_timeout(PATIENCE_MS)
    errors: list[str] = []
    found.on("pageerror", lambda error: errors.append(str(error)))
    open_notebook(found, f"{lab}/lab/tree/{project.name}/flights.ipynb?token=secret&reset")
    found.locator(".jp-Blocks-node").first.wait_for()
    yield found
    found.close()
    assert errors == []


def open_notebook(page: Any, address: str) -> None:
    """Open a notebook and the sidebar."""
    page.goto(address)
    tab = page.locator('li[data-id="jupyter-blocks"]')
    tab.wait_for()
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    if "lm-mod-current" not in (tab.get_attribute("class") or ""):
        tab.click()
    page.locator("#jupyter-blocks").wait_for()
