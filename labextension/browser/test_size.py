"""What the browser has to fetch, and what it does when nothing happens."""

from __future__ import annotations

import gzip

from playwright.sync_api import Page

from .labserver import BUILT

MOST_BYTES = 60_000
WATCHED_MS = 8_000


def test_the_plugin_is_small() -> None:
    """All of its scripts together, compressed as a server sends them."""
    scripts = sorted((BUILT / "static").glob("*.js"))
    assert scripts
    sizes = {path.name: len(gzip.compress(path.read_bytes(), 9)) for path in scripts}
    assert sum(sizes.values()) < MOST_BYTES, sizes


def test_nothing_is_asked_while_nothing_happens(page: Page) -> None:
    """No request to the extension of the server from a notebook that nobody touches."""
    page.wait_for_timeout(2_000)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(WATCHED_MS)
    assert [url for url in asked if "/blocks/" in url] == []
