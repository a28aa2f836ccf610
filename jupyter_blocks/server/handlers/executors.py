"""`blocks/executors`, and the description of all addresses."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from jupyter_blocks.executors.table import executor_names, find_executor
from jupyter_blocks.server.base import BlocksHandler
from jupyter_blocks.server.contract import document

__all__ = ["ExecutorsHandler", "SpecHandler"]


class ExecutorsHandler(BlocksHandler):
    """What blocks can run on, and what is missing."""

    path = "/blocks/executors"
    auth_resource = "blocks.executors"

    @authenticated
    @authorized
    async def get(self) -> None:
        """All executors that are installed."""
        await self.answer(_executors, self.services.starter.allowed_executors)


def _executors(allowed: tuple[str, ...]) -> dict[str, Any]:
    return {"executors": [_executor(name, allowed) for name in executor_names()]}


def _executor(name: str, allowed: tuple[str, ...]) -> dict[str, Any]:
    entry = find_executor(name)
    missing = [module for module in entry.requires if not _is_importable(module)]
    return {
        "name": entry.name,
        "state": "missing" if missing else "available",
        "about": entry.about,
        "settings": entry.settings_key or None,
        "source": entry.source,
        "detail": f"needs {', '.join(missing)}: {entry.install}" if missing else "",
        "allowed": not allowed or name in allowed,
    }


def _is_importable(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False


class SpecHandler(BlocksHandler):
    """The OpenAPI document."""

    path = "/blocks/openapi"

    @authenticated
    @authorized
    async def get(self) -> None:
        """Every address, what it takes and what it answers."""
        await self.answer(document)
