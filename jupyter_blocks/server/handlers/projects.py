"""`blocks/projects` and `blocks/pipeline`: what there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from jupyter_blocks.errors import BlocksError
from jupyter_blocks.graphnodes import pipeline_nodes
from jupyter_blocks.project import open_project
from jupyter_blocks.server.base import BlocksHandler
from jupyter_blocks.server.faults import without_root
from jupyter_blocks.server.freshness import UNKNOWN, stored_freshness
from jupyter_blocks.server.masking import mask_secrets
from jupyter_blocks.server.places import Places
from jupyter_blocks.server.services import Services
from jupyter_blocks.variables.cells import cut

__all__ = ["PipelineHandler", "ProjectsHandler"]


class ProjectsHandler(BlocksHandler):
    """The projects below the root of the server."""

    path = "/blocks/projects"
    auth_resource = "blocks.projects"

    @authenticated
    @authorized
    async def get(self) -> None:
        """List them, the nearest first."""
        await self.answer(_projects, self.services)


class PipelineHandler(BlocksHandler):
    """One pipeline of a project, as its files say."""

    path = "/blocks/pipeline"
    auth_resource = "blocks.projects"

    @authenticated
    @authorized
    async def get(self) -> None:
        """Its blocks, its parameters, what is wrong with it."""
        await self.answer(_pipeline, self.services, self.parameters())


def _projects(services: Services) -> dict[str, Any]:
    limits = services.limits
    folders = services.places.projects(limits.depth, limits.projects)
    return {"projects": [_project(services.places, folder) for folder in folders]}


def _project(places: Places, folder: Path) -> dict[str, Any]:
    entry: dict[str, Any] = {"path": places.relative(folder), "name": folder.name}
    try:
        project = open_project(folder)
        return {**entry, "name": project.name, "pipelines": project.pipelines(), "error": None}
    except (BlocksError, OSError) as error:
        said = mask_secrets(without_root(str(error), places.root))
        return {**entry, "pipelines": [], "error": said}


def _pipeline(services: Services, asked: dict[str, Any]) -> dict[str, Any]:
    project = services.project(asked["project"])
    name = asked["pipeline"]
    pipeline = services.places.pipeline(project, name)
    fresh = stored_freshness(project, name, services.places.store(project))
    notebook = pipeline.notebook
    return {
        "project": asked["project"],
        "pipeline": name,
        "notebook": _notebook(services.places, project.root / notebook) if notebook else None,
        "parameters": mask_secrets({key: cut(v)[0] for key, v in pipeline.variables.items()}),
        "blocks": [
            {
                "name": node.name,
                "type": node.type,
                "upstream": list(node.upstream),
                "executor": node.executor,
                "file": pipeline.block(node.name).file,
                "freshness": fresh.get(node.name, UNKNOWN),
            }
            for node in pipeline_nodes(pipeline)
        ],
        "problems": without_root(
            [item.as_json() for item in (*project.warnings, *pipeline.warnings)],
            services.places.root,
        ),
    }


def _notebook(places: Places, path: Path) -> str | None:
    return places.relative(path) if path.resolve().is_relative_to(places.root) else None
