"""`blocks/runs`: start, list, look at, cancel and resume runs, and read what they write."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from jupyter_blocks.project import Project, open_project
from jupyter_blocks.run import RunStatus
from jupyter_blocks.server.base import BlocksHandler, allowed_to
from jupyter_blocks.server.detached import refuse_executors
from jupyter_blocks.server.faults import RequestError
from jupyter_blocks.server.logs import attempt_log, run_log
from jupyter_blocks.server.notebooks import confined_export
from jupyter_blocks.server.planning import (
    plan_answer,
    plan_notebook,
    plan_pipeline,
    run_request,
)
from jupyter_blocks.server.runstates import record_document
from jupyter_blocks.server.services import Services

__all__ = [
    "AttemptsHandler",
    "CancelHandler",
    "LogHandler",
    "PlanHandler",
    "ResumeHandler",
    "RunHandler",
    "RunsHandler",
]


class RunsHandler(BlocksHandler):
    """All runs of a project."""

    path = "/blocks/runs"
    auth_resource = "blocks.runs"

    @authenticated
    @authorized
    async def get(self) -> None:
        """List them, the newest first."""
        asked = self.parameters()
        await self.answer(_list, self.services, asked)
        self.services.follower.follow(asked["project"], self.services.runs(asked["project"]))

    @authenticated
    @allowed_to("execute")
    async def post(self) -> None:
        """Start one; it goes on whatever becomes of this server."""
        self.refuse_without_disk(self.body())
        started = await self.work(_start, self.services, self.body())
        self.services.follower.follow(started["project"], self.services.runs(started["project"]))
        await self.answer(dict, started, status=201)


class PlanHandler(BlocksHandler):
    """What a run would do."""

    path = "/blocks/plan"
    auth_resource = "blocks.runs"

    @authenticated
    @allowed_to("read")
    async def post(self) -> None:
        """Which blocks would run where, and why; takes what starting a run takes."""
        self.refuse_without_disk(self.body())
        await self.answer(_plan, self.services, self.body())


class RunHandler(BlocksHandler):
    """One run."""

    path = "/blocks/runs/{run_id}"
    auth_resource = "blocks.runs"

    @authenticated
    @authorized
    async def get(self, **_: str) -> None:
        """Its state: all of it, or what has changed since an event."""
        asked = self.parameters()
        runs = self.services.runs(asked["project"])
        self.services.follower.follow(asked["project"], runs)
        await self.answer(runs.snapshot, asked["run_id"], asked["since"])

    def compute_etag(self) -> str | None:
        """None: what was answered `since` an event is not asked for again."""
        return None


class CancelHandler(BlocksHandler):
    """Stops a run."""

    path = "/blocks/runs/{run_id}/cancel"
    auth_resource = "blocks.runs"

    @authenticated
    @allowed_to("execute")
    async def post(self, **_: str) -> None:
        """Ask the process that drives it, whoever started that."""
        run_id = self.parameters()["run_id"]
        await self.answer(_cancel, self.services, run_id, self.body(), status=202)


class ResumeHandler(BlocksHandler):
    """Goes on with a run that ended before it was done."""

    path = "/blocks/runs/{run_id}/resume"
    auth_resource = "blocks.runs"

    @authenticated
    @allowed_to("execute")
    async def post(self, **_: str) -> None:
        """Start a process that drives it again."""
        run_id = self.parameters()["run_id"]
        await self.answer(_resume, self.services, run_id, self.body(), status=201)


class AttemptsHandler(BlocksHandler):
    """The attempts of a run."""

    path = "/blocks/runs/{run_id}/attempts"
    auth_resource = "blocks.runs"

    @authenticated
    @authorized
    async def get(self, **_: str) -> None:
        """In the order in which they began."""
        asked = self.parameters()
        runs = self.services.runs(asked["project"])
        await self.answer(runs.attempts, asked["run_id"], asked.get("block"))


class LogHandler(BlocksHandler):
    """What an attempt, or the process that drives the run, has written."""

    path = "/blocks/runs/{run_id}/log"
    auth_resource = "blocks.runs"

    @authenticated
    @authorized
    async def get(self, **_: str) -> None:
        """A piece of it, from a byte on."""
        await self.answer(_log, self.services, self.parameters())


def _list(services: Services, asked: dict[str, Any]) -> dict[str, Any]:
    records = services.runs(asked["project"]).list(asked.get("pipeline"), asked["limit"])
    return {"runs": [record_document(record) for record in records]}


def _plan(services: Services, body: dict[str, Any]) -> dict[str, Any]:
    places = services.places
    if "path" in body:
        root, plan = plan_notebook(places, places.notebook(body["path"]), body)
    else:
        project, name = _target(services, body)
        places.store(project)
        root, plan = project.root, plan_pipeline(project, project.pipeline(name), body)
    return plan_answer(places, root, plan, services.starter.allowed_executors)


def _start(services: Services, body: dict[str, Any]) -> dict[str, Any]:
    if body.get("executor"):
        refuse_executors({body["executor"]}, list(services.starter.allowed_executors))
    project, pipeline = _target(services, body)
    services.places.store(project)
    run_id = services.starter.start(project.root, pipeline, run_request(body))
    return {
        "run_id": run_id,
        "project": services.places.relative(project.root),
        "pipeline": pipeline,
    }


def _target(services: Services, body: dict[str, Any]) -> tuple[Project, str]:
    """The project and pipeline to run; a notebook is exported first."""
    if "path" in body:
        path = services.places.notebook(body["path"])
        exported = confined_export(services.places, path, body.get("pipeline"))
        return open_project(exported.project), exported.pipeline
    project = services.project(body["project"])
    services.places.pipeline(project, body["pipeline"])
    return project, body["pipeline"]


def _cancel(services: Services, run_id: str, body: dict[str, Any]) -> dict[str, Any]:
    runs = services.runs(body["project"])
    with runs.journal() as journal:
        run = runs.followed(journal, run_id)
        if run.state.status.is_final:
            status = str(run.state.status).lower()
            raise RequestError(409, f"Run {run_id} has ended: {status}.")
        if journal is None or not journal.holder(run_id):
            raise RequestError(
                409, f"Nobody drives run {run_id}; there is nothing to stop.", hint="Resume it."
            )
        journal.request(run_id, "cancel")
    return {"run_id": run_id, "status": str(RunStatus.RUNNING), "cancelling": True}


def _resume(services: Services, run_id: str, body: dict[str, Any]) -> dict[str, Any]:
    project = services.project(body["project"])
    runs = services.runs(body["project"])
    with runs.journal() as journal:
        pipeline = runs.followed(journal, run_id).state.plan.pipeline
    services.places.store(project)
    services.starter.start(project.root, pipeline, {"resume": run_id})
    relative = services.places.relative(project.root)
    return {"run_id": run_id, "project": relative, "pipeline": pipeline}


def _log(services: Services, asked: dict[str, Any]) -> dict[str, Any]:
    project = services.project(asked["project"])
    runs = services.runs_at(project.state_dir)
    if "block" not in asked:
        return run_log(project, runs, asked["run_id"], asked)
    remote = services.remote_logs
    return attempt_log(services.places, remote, project, runs, asked["run_id"], asked)
