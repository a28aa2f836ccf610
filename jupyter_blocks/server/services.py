"""What the extension keeps for all requests, made once when the server starts."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_blocks.project import Project
from jupyter_blocks.server.analysis import Analyzer
from jupyter_blocks.server.following import Follower
from jupyter_blocks.server.places import Places
from jupyter_blocks.server.remotelogs import RemoteLogs
from jupyter_blocks.server.runstates import ProjectRuns, RunStates
from jupyter_blocks.server.starting import Starter
from jupyter_blocks.server.values import Values

__all__ = ["Limits", "Services"]


@dataclass(frozen=True)
class Limits:
    """How much one request may ask for."""

    body_bytes: int = 32 * 1024 * 1024
    projects: int = 200
    depth: int = 4
    """Folders below the root in which projects are searched."""


@dataclass
class Services:
    """Everything the handlers work with."""

    places: Places
    starter: Starter
    limits: Limits
    emit: Callable[[dict[str, Any]], None]
    is_on_disk: bool = True
    """Whether the notebooks of the server are files below its root."""
    threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(6, "jupyter-blocks")
    )
    states: RunStates = field(default_factory=RunStates)
    remote_logs: RemoteLogs = field(default_factory=RemoteLogs)

    def __post_init__(self) -> None:
        self.analyzer = Analyzer(self.places)
        self.follower = Follower(self.emit, ThreadPoolExecutor(1, "jupyter-blocks-follower"))

    def project(self, path: str) -> Project:
        """The project whose folder a request names."""
        return self.places.project(path)

    def runs(self, path: str) -> ProjectRuns:
        """The runs of a project."""
        return self.runs_at(self.places.project_folder(path) / ".blocks")

    def runs_at(self, state_dir: Path) -> ProjectRuns:
        """The runs that a state folder knows of."""
        self.places.check(state_dir)
        return self.states.of(state_dir)

    def values(self, path: str) -> Values:
        """The stored outputs of a project."""
        return Values(self.places, self.places.project(path))

    async def stop(self) -> None:
        """Let go of journals and threads; runs go on."""
        await self.follower.stop()
        self.threads.shutdown(wait=False, cancel_futures=True)
        self.follower.close()
        self.states.close()
        self.starter.close()
