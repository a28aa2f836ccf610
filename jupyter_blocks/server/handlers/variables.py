"""`blocks/variables`: what is stored, in pieces that fit on a screen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado.iostream import StreamClosedError
from tornado.web import authenticated

from jupyter_blocks._version import __version__
from jupyter_blocks.server.base import BlocksHandler, allowed_to
from jupyter_blocks.server.charts import chart
from jupyter_blocks.server.differences import compare
from jupyter_blocks.server.downloads import CONTENT_TYPES, file_name, pieces
from jupyter_blocks.server.services import Services
from jupyter_blocks.server.values import Value, summary, variable_document
from jupyter_blocks.variables.manifest import Manifest

__all__ = [
    "ChartHandler",
    "CompareHandler",
    "DownloadHandler",
    "ImageHandler",
    "ManifestHandler",
    "PreviewHandler",
    "RowsHandler",
    "TextHandler",
    "TreeHandler",
    "VariablesHandler",
]


class _VariablesHandler(BlocksHandler):
    """What the handlers of stored outputs share."""

    auth_resource = "blocks.variables"
    _tag = ""

    async def has_current(self, manifest: Manifest, asked: dict[str, Any]) -> bool:
        """Whether the client has this answer already, as what is stored never changes; tells it so.

        If not, the answer gets a tag by which the client can ask again. It may keep the answer, but
        not show it without asking: who may see it can change.
        """
        said = repr((__version__, self.path, manifest.digest, sorted(asked.items())))
        self._tag = f'"{sha256(said.encode()).hexdigest()[:32]}"'
        self.set_header("Etag", self._tag)
        self.set_header("Cache-Control", "private, no-cache")
        self.set_header("Last-Modified", datetime.fromtimestamp(manifest.created_at, UTC))
        if not self.check_etag_header():
            return False
        self.set_status(304)
        await self.finish()
        return True

    def compute_etag(self) -> str | None:
        """The tag of what is stored; elsewhere that of the answer, which Tornado makes."""
        return self._tag or super().compute_etag()


class VariablesHandler(_VariablesHandler):
    """The outputs of a pipeline: the newest, or those of one run."""

    path = "/blocks/variables"

    @authenticated
    @authorized
    async def get(self) -> None:
        """List them."""
        await self.answer(_list, self.services, self.parameters())


class ManifestHandler(_VariablesHandler):
    """One block's outputs."""

    path = "/blocks/variables/manifest"

    @authenticated
    @authorized
    async def get(self) -> None:
        """What they are, and which inputs they belong to."""
        asked = self.parameters()
        manifest = await self.work(_manifest, self.services, asked)
        if not await self.has_current(manifest, asked):
            await self.answer(_manifest_document, manifest)


class PreviewHandler(_VariablesHandler):
    """Schema, statistics, histograms and first rows of an output."""

    path = "/blocks/variables/preview"

    @authenticated
    @authorized
    async def get(self) -> None:
        """As they were worked out when it was stored."""
        asked = self.parameters()
        value = await self.work(_value, self.services, asked)
        if not await self.has_current(value.manifest, asked):
            await self.answer(_preview, value)


class RowsHandler(_VariablesHandler):
    """Rows of a table."""

    path = "/blocks/variables/rows"

    @authenticated
    @allowed_to("read")
    async def post(self) -> None:
        """A page of them, sorted and filtered."""
        await self.answer(_rows, self.services, self.body())


class ChartHandler(_VariablesHandler):
    """Data of a chart of a table."""

    path = "/blocks/variables/chart"

    @authenticated
    @allowed_to("read")
    async def post(self) -> None:
        """Bounded, whatever the size of the table."""
        await self.answer(_chart, self.services, self.body())


class CompareHandler(_VariablesHandler):
    """An output beside the one it had before."""

    path = "/blocks/variables/compare"

    @authenticated
    @authorized
    async def get(self) -> None:
        """From what was kept when they were stored; neither is read."""
        await self.answer(_compare, self.services, self.parameters())


class TreeHandler(_VariablesHandler):
    """One node of plain data."""

    path = "/blocks/variables/tree"

    @authenticated
    @allowed_to("read")
    async def post(self) -> None:
        """With some of its members."""
        await self.answer(_tree, self.services, self.body())


class TextHandler(_VariablesHandler):
    """A piece of a text."""

    path = "/blocks/variables/text"

    @authenticated
    @authorized
    async def get(self) -> None:
        """From a byte on."""
        asked = self.parameters()
        value = await self.work(_value, self.services, asked)
        if not await self.has_current(value.manifest, asked):
            await self.answer(value.text, asked["offset"], asked["limit"])


class ImageHandler(_VariablesHandler):
    """The picture of a figure."""

    path = "/blocks/variables/image"

    @authenticated
    @authorized
    async def get(self) -> None:
        """As PNG."""
        asked = self.parameters()
        value = await self.work(_value, self.services, asked)
        if not await self.has_current(value.manifest, asked):
            await self.finish(await self.work(value.image), set_content_type="image/png")


class DownloadHandler(_VariablesHandler):
    """A table as a file."""

    path = "/blocks/variables/download"

    @authenticated
    @authorized
    async def get(self) -> None:
        """Streamed, piece by piece."""
        asked = self.parameters()
        value = await self.work(_value, self.services, asked)
        if await self.has_current(value.manifest, asked):
            return
        parts = await self.work(_pieces, value, asked)
        piece = await self.work(next, parts, None)
        name = file_name(asked["block"], asked["output"], asked["format"])
        self.set_header("Content-Type", CONTENT_TYPES[asked["format"]])
        self.set_header("Content-Disposition", f'attachment; filename="{name}"')
        while piece is not None:
            self.write(piece)
            try:
                await self.flush()
            except StreamClosedError:
                return
            piece = await self._next(parts)
        await self.finish(set_content_type=CONTENT_TYPES[asked["format"]])

    async def _next(self, parts: Iterator[bytes]) -> Any:
        """A further piece; where there should be one and is none, the download must break.

        Finished in good order, half a table would pass for the whole.
        """
        try:
            return await self.work(next, parts, None)
        except Exception:
            connection: Any = self.request.connection
            connection.stream.close()
            raise


def _value(services: Services, asked: dict[str, Any]) -> Value:
    return services.values(asked["project"]).value(asked)


def _list(services: Services, asked: dict[str, Any]) -> dict[str, Any]:
    values = services.values(asked["project"])
    run_id, blocks = asked.get("run_id"), []
    if run_id is not None:
        runs = services.runs_at(values.project.state_dir)
        with runs.journal() as journal:
            blocks = list(runs.followed(journal, run_id).state.blocks)
    found = values.list(asked["pipeline"], run_id, blocks)
    outputs = [variable_document(item, name) for item in found for name in item.outputs]
    return {"pipeline": asked["pipeline"], "outputs": outputs}


def _manifest(services: Services, asked: dict[str, Any]) -> Manifest:
    values = services.values(asked["project"])
    return values.manifest(asked["pipeline"], asked["block"], asked.get("run_id"))


def _manifest_document(manifest: Manifest) -> dict[str, Any]:
    return {
        "pipeline": manifest.pipeline,
        "block": manifest.block,
        "run_id": manifest.run_id,
        "attempt_id": manifest.attempt_id,
        "created_at": manifest.created_at,
        "digest": manifest.digest,
        "inputs": list(manifest.inputs),
        "outputs": [variable_document(manifest, name) for name in manifest.outputs],
    }


def _preview(value: Value) -> dict[str, Any]:
    return {**summary(value.stored), **value.preview()}


def _rows(services: Services, body: dict[str, Any]) -> dict[str, Any]:
    return _value(services, body).rows(body)


def _chart(services: Services, body: dict[str, Any]) -> dict[str, Any]:
    return chart(_value(services, body).table(), body)


def _compare(services: Services, asked: dict[str, Any]) -> dict[str, Any]:
    return compare(services.values(asked["project"]), asked)


def _tree(services: Services, body: dict[str, Any]) -> dict[str, Any]:
    value = _value(services, body)
    return value.tree(body.get("path", []), body.get("offset", 0), body.get("limit", 100))


def _pieces(value: Value, asked: dict[str, Any]) -> Iterator[bytes]:
    return pieces(value.table(), asked["format"])
