"""`blocks/analysis`, `export`, `takeback` and `suggest`: between a notebook and its blocks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from jupyter_blocks.server.analysis import notebook_bytes
from jupyter_blocks.server.base import BlocksHandler, allowed_to
from jupyter_blocks.server.notebooks import export, suggestions, take_back
from jupyter_blocks.server.services import Services

__all__ = ["AnalysisHandler", "ExportHandler", "SuggestHandler", "TakeBackHandler"]


class AnalysisHandler(BlocksHandler):
    """DAG, problems, drift and freshness of a notebook."""

    path = "/blocks/analysis"
    auth_resource = "blocks.notebooks"

    @authenticated
    @authorized
    async def get(self) -> None:
        """Of a notebook as it is saved."""
        await self.answer(_analysis, self.services, await self.saved(self.parameters()))

    @authenticated
    @allowed_to("read")
    async def post(self) -> None:
        """Of a notebook as the client has it."""
        await self.answer(_analysis, self.services, await self.saved(self.body()))


class ExportHandler(BlocksHandler):
    """Writes the files of a saved notebook."""

    path = "/blocks/export"
    auth_resource = "blocks.notebooks"

    @authenticated
    @authorized
    async def post(self) -> None:
        """Write them, or say what would be written."""
        self.refuse_without_disk(self.body())
        await self.answer(export, self.services.places, self.body())


class TakeBackHandler(BlocksHandler):
    """Brings changes of block files into the notebook."""

    path = "/blocks/takeback"
    auth_resource = "blocks.notebooks"

    @authenticated
    @authorized
    async def post(self) -> None:
        """Bring them, or say what would come."""
        self.refuse_without_disk(self.body())
        await self.answer(take_back, self.services.places, self.body())


class SuggestHandler(BlocksHandler):
    """Proposes tags."""

    path = "/blocks/suggest"
    auth_resource = "blocks.notebooks"

    @authenticated
    @allowed_to("read")
    async def post(self) -> None:
        """For a notebook as it is saved, or as the client has it."""
        await self.answer(_suggestions, self.services, await self.saved(self.body()))


def _analysis(services: Services, asked: dict[str, Any]) -> bytes:
    path, data = _notebook(services, asked)
    return services.analyzer.analyze(path, data, asked.get("pipeline"))


def _suggestions(services: Services, asked: dict[str, Any]) -> dict[str, Any]:
    return suggestions(services.places, *_notebook(services, asked))


def _notebook(services: Services, asked: dict[str, Any]) -> tuple[Path, bytes]:
    content = asked.get("content")
    path = services.places.notebook(asked["path"], must_exist=content is None)
    return path, path.read_bytes() if content is None else notebook_bytes(content)
