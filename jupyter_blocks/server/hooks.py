"""What a Jupyter server asks a package for that extends it."""

from __future__ import annotations

from typing import Any

from jupyter_blocks.server.app import BlocksApp

__all__: list[str] = []


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    return [{"module": "jupyter_blocks.server.app", "app": BlocksApp}]
