"""The addresses of the extension, each with the handler that answers."""

from __future__ import annotations

import re

from jupyter_blocks.server.base import BlocksHandler
from jupyter_blocks.server.handlers.executors import ExecutorsHandler, SpecHandler
from jupyter_blocks.server.handlers.notebooks import (
    AnalysisHandler,
    ExportHandler,
    SuggestHandler,
    TakeBackHandler,
)
from jupyter_blocks.server.handlers.projects import PipelineHandler, ProjectsHandler
from jupyter_blocks.server.handlers.runs import (
    AttemptsHandler,
    CancelHandler,
    LogHandler,
    PlanHandler,
    ResumeHandler,
    RunHandler,
    RunsHandler,
)
from jupyter_blocks.server.handlers.variables import (
    ChartHandler,
    CompareHandler,
    DownloadHandler,
    ImageHandler,
    ManifestHandler,
    PreviewHandler,
    RowsHandler,
    TextHandler,
    TreeHandler,
    VariablesHandler,
)

__all__ = ["HANDLERS", "ROUTES"]

HANDLERS: tuple[type[BlocksHandler], ...] = (
    AnalysisHandler,
    AttemptsHandler,
    CancelHandler,
    ChartHandler,
    CompareHandler,
    DownloadHandler,
    ExecutorsHandler,
    ExportHandler,
    ImageHandler,
    LogHandler,
    ManifestHandler,
    PipelineHandler,
    PlanHandler,
    PreviewHandler,
    ProjectsHandler,
    ResumeHandler,
    RowsHandler,
    RunHandler,
    RunsHandler,
    SpecHandler,
    SuggestHandler,
    TakeBackHandler,
    TextHandler,
    TreeHandler,
    VariablesHandler,
)

ROUTES = [
    (re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(handler.path)), handler)
    for handler in HANDLERS
]
"""Pattern of the address -> handler."""
