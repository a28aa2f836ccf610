"""The extension: its settings, what it makes when the server starts, and its addresses."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from jupyter_server.extension.application import ExtensionApp
from jupyter_server.services.contents.filemanager import FileContentsManager
from traitlets import Bool, Float, Int, List, Unicode

from jupyter_blocks._version import __version__
from jupyter_blocks.executors.table import executor_names
from jupyter_blocks.server.base import SERVICES
from jupyter_blocks.server.following import EVENT_SCHEMA, event_schema
from jupyter_blocks.server.handlers import ROUTES
from jupyter_blocks.server.places import Places
from jupyter_blocks.server.services import Limits, Services
from jupyter_blocks.server.starting import Starter

__all__ = ["BlocksApp"]


class BlocksApp(ExtensionApp):
    """Jupyter Blocks: the tagged cells of a notebook, run as a pipeline."""

    name = "jupyter_blocks"
    version = __version__
    description = __doc__
    open_browser = False

    allowed_executors = List(
        Unicode(),
        help="Executors that runs may use; empty: all that are installed.",
    ).tag(config=True)
    max_runs = Int(8, min=1, help="Runs this server starts may be under way at once.").tag(
        config=True
    )
    start_timeout_s = Float(
        120.0, min=1.0, help="Seconds a run may take to be planned before it is given up."
    ).tag(config=True)
    python = Unicode(
        sys.executable, help="Python that runs are started with; it must have jupyter-blocks."
    ).tag(config=True)
    project_depth = Int(
        4, min=0, max=20, help="Folders below the root in which projects are searched."
    ).tag(config=True)
    max_projects = Int(200, min=1, help="Projects that are listed.").tag(config=True)
    max_body_bytes = Int(
        32 * 1024 * 1024, min=1024, help="Largest request, in bytes; a posted notebook must fit."
    ).tag(config=True)
    variable_roots = List(
        Unicode(),
        help="Folders outside the root of the server that projects may keep their variables in.",
    ).tag(config=True)
    emit_events = Bool(True, help="Tell Jupyter's event bus what happens in runs.").tag(config=True)

    services: Services | None = None

    def initialize_settings(self) -> None:
        """Make what the handlers work with, and register the events."""
        super().initialize_settings()  # type: ignore[no-untyped-call]
        server: Any = self.serverapp
        contents = server.contents_manager
        # Every contents manager has a `root_dir`; only for those of files is it a folder.
        is_on_disk = isinstance(contents, FileContentsManager)
        root = contents.root_dir if is_on_disk else server.root_dir
        places = Places(
            Path(root).resolve(),
            tuple(Path(each).expanduser().resolve() for each in self.variable_roots),
            allow_hidden=bool(getattr(contents, "allow_hidden", False)),
        )
        starter = Starter(
            tuple(self.allowed_executors), self.max_runs, self.start_timeout_s, self.python
        )
        limits = Limits(self.max_body_bytes, self.max_projects, self.project_depth)
        self.services = Services(places, starter, limits, self._emit, is_on_disk)
        self.settings[SERVICES] = self.services
        server.event_logger.register_event_schema(EVENT_SCHEMA)
        self.log.debug("Executors: %s", ", ".join(executor_names()))

    def initialize_handlers(self) -> None:
        """Add the addresses."""
        self.handlers.extend(ROUTES)

    async def stop_extension(self) -> None:
        """Let go of journals and threads; runs live on in processes of their own."""
        if self.services is not None:
            await self.services.stop()

    def _emit(self, data: dict[str, Any]) -> None:
        if self.emit_events:
            server: Any = self.serverapp
            server.event_logger.emit(schema_id=event_schema()["$id"], data=data)
