"""What a run would do, without a run: the same request as for starting one, and nothing is written.

A notebook is planned as it is saved, whether or not its files have been exported.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_blocks.binding import analyze_notebook
from jupyter_blocks.kernel.view import View
from jupyter_blocks.launch import RunRequest, prepare
from jupyter_blocks.notebook import read_notebook
from jupyter_blocks.parameters import resolve_parameters
from jupyter_blocks.pipeline import Pipeline
from jupyter_blocks.plan import RunPlan
from jupyter_blocks.planner import make_plan
from jupyter_blocks.project import Project, open_project
from jupyter_blocks.report import plan_document
from jupyter_blocks.server.detached import refuse_executors
from jupyter_blocks.server.masking import mask_secrets
from jupyter_blocks.server.places import Places
from jupyter_blocks.variables.cells import cut

__all__ = ["plan_answer", "plan_notebook", "plan_pipeline", "run_request"]

_OPTIONS = (
    "executor",
    "blocks",
    "from_block",
    "to_block",
    "changed",
    "skip_sensors",
    "run_tests",
    "max_workers",
    "runtime_vars",
)


def run_request(body: Mapping[str, Any]) -> dict[str, Any]:
    """What of the body of a request says how to run, as keywords of `RunRequest`."""
    return {name: body[name] for name in _OPTIONS if name in body}


def plan_pipeline(project: Project, pipeline: Pipeline, body: Mapping[str, Any]) -> RunPlan:
    """The plan of a pipeline as its files say; raises what starting the run would raise."""
    return prepare(project, pipeline, _request(body)).plan


def plan_notebook(places: Places, path: Path, body: Mapping[str, Any]) -> tuple[Path, RunPlan]:
    """The folder of the project, which need not exist yet, and the plan of a saved notebook.

    Raises `ValidationError` with every problem of the notebook.
    """
    notebook = read_notebook(path)
    view = View(notebook, analyze_notebook(notebook, pipeline=body.get("pipeline")))
    root = places.project_of(path)
    exists = (root / "metadata.yaml").is_file()
    store = places.store(open_project(root) if exists else Project(root))
    request, _texts = _request(body), view.texts
    values = resolve_parameters(root, view.pipeline, request.runtime_vars, request.params)
    plan = make_plan(
        view.pipeline,
        request.options(values),
        run_id="",
        store=store,
        fingerprints=view.fingerprints(values),
    )
    return root, plan


def plan_answer(
    places: Places, root: Path, plan: RunPlan, allowed_executors: tuple[str, ...]
) -> dict[str, Any]:
    """What `run --dry-run --json` prints, bounded, with the project it is about."""
    refuse_executors({block.executor for block in plan.running}, list(allowed_executors))
    document = plan_document(plan)
    return {
        "project": places.relative(root),
        "pipeline": document["pipeline"],
        "parameters": mask_secrets({key: cut(v)[0] for key, v in plan.parameters.items()}),
        "blocks": document["blocks"],
    }


def _request(body: Mapping[str, Any]) -> RunRequest:
    wishes = run_request(body)
    return RunRequest(**{**wishes, "blocks": tuple(wishes.get("blocks", ()))})
