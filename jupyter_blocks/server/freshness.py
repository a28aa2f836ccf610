"""What `analysis` says of stored outputs: fresh, stale, missing, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jupyter_blocks.binding import BlockDraft
from jupyter_blocks.errors import BlocksError
from jupyter_blocks.freshness import Fingerprints
from jupyter_blocks.parameters import resolve_parameters
from jupyter_blocks.pipeline import Pipeline
from jupyter_blocks.plan import Action, PlannedBlock, RunOptions
from jupyter_blocks.planner import make_plan
from jupyter_blocks.project import Project
from jupyter_blocks.variables.store import VariableStore
from jupyter_blocks.wording import stale_text

__all__ = ["draft_freshness", "pipeline_freshness", "stored_freshness"]

UNKNOWN = {"state": "unknown", "reason": ""}


def stored_freshness(project: Project, name: str, store: VariableStore) -> dict[str, Any]:
    """Block -> `state` and `reason`, of a pipeline as its files say; empty if they are bad."""
    if name not in project.pipelines():
        return {}
    try:
        return pipeline_freshness(project, project.pipeline(name), store)
    except (BlocksError, OSError):
        return {}


def pipeline_freshness(
    project: Project, pipeline: Pipeline, store: VariableStore
) -> dict[str, Any]:
    """The same for a pipeline that was read; what `run --changed` would do says it."""
    parameters = resolve_parameters(project.root, pipeline, {}, ())
    plan = make_plan(
        pipeline,
        RunOptions(parameters=parameters, changed=True),
        run_id="",
        store=store,
        fingerprints=Fingerprints(project.root, pipeline, parameters),
    )
    return {block.name: _said(block, store, pipeline.name) for block in plan.blocks}


def _said(block: PlannedBlock, store: VariableStore, pipeline: str) -> dict[str, str]:
    if block.action is not Action.RUN:
        return {"state": "fresh", "reason": block.reason}
    if block.is_sensor:  # it gives no data, so nothing of it can be stale
        has_run = store.latest(pipeline, block.name) is not None
        return {"state": "fresh" if has_run else "missing", "reason": block.reason}
    state = "missing" if block.reason == "never run" else "stale"
    return {"state": state, "reason": stale_text(block.reason)}


def draft_freshness(
    blocks: Iterable[BlockDraft], changed: Mapping[str, str], stored: Mapping[str, Any]
) -> dict[str, Any]:
    """The same for blocks a notebook describes: `changed` are those its files do not hold yet."""
    found: dict[str, Any] = {}
    for block in blocks:
        is_sensor = block.type.name == "sensor"
        entry = dict(stored.get(block.name, {"state": "missing", "reason": "never run"}))
        upstream = [name for name in block.upstream if found.get(name, UNKNOWN)["state"] == "stale"]
        if entry["state"] == "fresh" and block.name in changed:
            entry = {"state": "stale", "reason": changed[block.name]}
        elif entry["state"] == "fresh" and upstream and not is_sensor:
            entry = {"state": "stale", "reason": f"'{upstream[0]}' is stale"}
        found[block.name] = entry
    return found
