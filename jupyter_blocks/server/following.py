"""Tells Jupyter's event bus what happens in runs, whoever started them.

One poller for each project that clients have asked about: a look at the journal's `data_version`
four times a second while a run is under way, once a second otherwise, and nothing more as long as
it stays the same.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from jupyter_blocks.journal import Journal
from jupyter_blocks.run import RunStatus
from jupyter_blocks.server.runstates import ProjectRuns
from jupyter_blocks.yamlfile import parse_yaml

__all__ = ["EVENT_SCHEMA", "Follower", "event_problem", "event_schema"]

EVENT_SCHEMA = Path(__file__).parent / "events" / "run.yaml"
_MOST_BLOCKS = 100
_MOST_RUNS = 20
_FORGET_S = 600.0
"""A project that nobody asks about for so long, and in which nothing runs, is left alone."""


@cache
def event_schema() -> dict[str, Any]:
    """The schema of the events."""
    loaded: dict[str, Any] = parse_yaml(EVENT_SCHEMA.read_text("utf-8"), EVENT_SCHEMA.name).value
    return loaded


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(event_schema())


def event_problem(data: Mapping[str, Any]) -> str:
    """What is wrong with the data of an event; the event bus looks only if somebody listens."""
    return next((error.message for error in _validator().iter_errors(data)), "")


@dataclass
class _Told:
    """What has been told of one run."""

    seq: int = 0
    status: str = ""


@dataclass
class _Project:
    """One project that is followed."""

    path: str
    runs: ProjectRuns
    told: dict[str, _Told] = field(default_factory=dict)
    version: int = -1
    active: bool = True
    looked_at: float = 0.0

    def look(self) -> list[dict[str, Any]]:
        """Data of the events that are due."""
        used_at = self.runs.used_at
        try:
            with self.runs.journal() as journal:
                return self._news(journal) if journal else []
        finally:
            self.runs.used_at = used_at

    def _news(self, journal: Journal) -> list[dict[str, Any]]:
        version = journal.data_version()
        if version == self.version and not self.active:
            return []
        first = self.version == -1
        self.version = version
        records = journal.runs(None, _MOST_RUNS)
        self.active = any(record.status is RunStatus.RUNNING for record in records)
        news = []
        for record in reversed(records):
            told = self.told.get(record.run_id)
            if told is None and first and record.status is not RunStatus.RUNNING:
                self.told[record.run_id] = _Told(status=str(record.status))
            elif (told is None) or told.status != record.status or not record.status.is_final:
                news += self._tell(journal, record.run_id, str(record.status))
        return news

    def _tell(self, journal: Journal, run_id: str, status: str) -> list[dict[str, Any]]:
        told = self.told.setdefault(run_id, _Told())
        run = self.runs.followed(journal, run_id)
        if run.seq == told.seq and status == told.status:
            return []
        changed = [name for name, seq in run.changed.items() if seq > told.seq]
        data = {
            "project": self.path,
            "run_id": run_id,
            "pipeline": run.state.plan.pipeline,
            "status": status,
            "seq": run.seq,
            "previous_seq": told.seq,
            "blocks": {name: str(run.state.blocks[name].status) for name in changed[:_MOST_BLOCKS]},
            "more": len(changed) > _MOST_BLOCKS or run.start > told.seq > 0,
        }
        told.seq, told.status = run.seq, status
        return [data]


class Follower:
    """Follows the runs of projects and emits an event for each change."""

    def __init__(
        self,
        emit: Callable[[dict[str, Any]], None],
        threads: Executor,
        *,
        interval_s: float = 0.25,
        idle_interval_s: float = 1.0,
    ) -> None:
        self._emit = emit
        self._threads = threads
        self._interval_s = interval_s
        self._idle_interval_s = idle_interval_s
        self._projects: dict[Path, _Project] = {}
        self._task: asyncio.Task[None] | None = None
        self._log = logging.getLogger(__name__)

    def follow(self, path: str, runs: ProjectRuns) -> None:
        """Follow the runs of a project from now on; call it from the event loop."""
        known = self._projects.get(runs.state_dir)
        if known is None or known.runs is not runs:
            self._projects[runs.state_dir] = _Project(path, runs)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._follow())

    async def stop(self) -> None:
        """Follow nothing any more."""
        self._projects.clear()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def close(self) -> None:
        """Let go of the thread."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _follow(self) -> None:
        """Until there is no project left to follow."""
        while self._projects:
            await asyncio.sleep(self._interval_s)
            now = time.monotonic()
            for key, project in list(self._projects.items()):
                pause = self._interval_s if project.active else self._idle_interval_s
                if now - project.looked_at >= pause - 0.01:
                    project.looked_at = now
                    await self._look(project)
                if not project.active and now - project.runs.used_at > _FORGET_S:
                    self._projects.pop(key, None)

    async def _look(self, project: _Project) -> None:
        loop = asyncio.get_running_loop()
        try:
            news = await loop.run_in_executor(self._threads, project.look)
        except Exception as error:
            # A journal that is being repaired must not end the following of all others.
            self._log.warning("The runs of '%s' cannot be read now: %s", project.path, error)
            return
        for data in news:
            problem = event_problem(data)
            if problem:
                self._log.error("An event was not sent, it does not fit its schema: %s", problem)
            else:
                self._emit(data)
