"""Take the pictures of JupyterLab in the documentation again: `make images`.

Needs what `make test-lab` needs: the built plugin, and Chromium.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
SIZE = {"width": 1440, "height": 900}

sys.path.insert(0, str(ROOT))

from labextension.browser.conftest import open_notebook  # noqa: E402 - found by the line above
from labextension.browser.labserver import chromium, running_lab  # noqa: E402
from labextension.browser.userpath import dark, node, open_run, run  # noqa: E402


def main() -> None:
    """A notebook that is a pipeline, and a run of it, in both themes."""
    with tempfile.TemporaryDirectory() as folder:
        root, home = Path(folder) / "root", Path(folder) / "home"
        root.mkdir()
        home.mkdir()
        command = [sys.executable, "-m", "jupyter_blocks", "init", str(root / "flights")]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603
        with running_lab(root, home) as lab, chromium() as browser:
            page = browser.new_page(viewport=SIZE, device_scale_factor=1)
            page.set_default_timeout(60_000)
            open_notebook(page, f"{lab}/lab/tree/flights/flights.ipynb?token=secret&reset")
            run(page)
            for theme in ("light", "dark"):
                if theme == "dark":
                    dark(page)
                _take(page, theme)


def _take(page: Any, theme: str) -> None:
    page.locator(".lm-TabBar-tabLabel", has_text="flights.ipynb").click()
    page.get_by_role("tab", name="Preview", exact=True).click()
    node(page, "join_weather").click()
    page.locator(".jp-Blocks-grid canvas").first.wait_for()
    _save(page, f"lab-{theme}.png")
    open_run(page).locator("[data-block='save_figure']").click()
    _save(page, f"run-{theme}.png")


def _save(page: Any, name: str) -> None:
    page.locator(".Toastify__toast").wait_for(state="detached")
    page.mouse.move(700, 890)
    page.wait_for_timeout(1000)
    page.screenshot(path=IMAGES / name)
    print(f"docs/images/{name}")


if __name__ == "__main__":
    main()
