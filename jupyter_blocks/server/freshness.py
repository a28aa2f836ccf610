"""What `analysis` says of stored outputs: fresh, stale, missing, and why."""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
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

__all__ = ["StoredFreshness", "draft_freshness", "pipeline_freshness", "stored_freshness"]

UNKNOWN = {"state": "unknown", "reason": ""}
TRUSTED_S = 5.0
"""How long the disk's answer is kept where the times of its files say nothing new."""
_TRUSTED_BY_FILES_S = 60.0
"""The same where the times of all files say so, but for outputs that are deleted by hand."""
_SURELY_OLD_NS = 2_000_000_000
"""A file that was changed less than so long before it was read may have changed since, unseen."""
_KEPT = 32


@dataclass(frozen=True)
class _Stored:
    """What is stored of one pipeline, and when that was looked up."""

    freshness: Mapping[str, Any]
    signature: Any
    made_at: float
    files: Mapping[str, tuple[int, int]] | None
    """Times and sizes of the files of code it depends on; none: they do not say enough."""

    def is_current(self, signature: Any, now: float) -> bool:
        """Whether it still holds, as far as can be seen without looking it up."""
        if self.signature != signature:
            return False
        age_s = now - self.made_at
        if age_s <= TRUSTED_S or self.files is None:
            return age_s <= TRUSTED_S
        return age_s <= _TRUSTED_BY_FILES_S and self.files == _seen(self.files)


class StoredFreshness:
    """What is stored of pipelines, looked up when it may have changed; safe for use by threads.

    An edit of a notebook changes nothing of it: that is for `draft_freshness`.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[Path, _Stored] = OrderedDict()
        """By the metadata.yaml of the pipeline."""
        self._lock = threading.Lock()

    def of(
        self,
        project: Project,
        name: str,
        signature: Any,
        open_store: Callable[[Project], VariableStore],
    ) -> Mapping[str, Any]:
        """Block -> `state` and `reason`, of a pipeline as its files say; empty if they are bad.

        `signature` are times and sizes of the files of project and pipeline, of newest outputs too.
        """
        path, now = project.pipeline_path(name), time.monotonic()
        with self._lock:
            stored = self._kept.get(path)
        if stored is None or not stored.is_current(signature, now):
            began_ns = time.time_ns()
            found, files = _looked_up(project, name, open_store(project))
            seen = None if files is None else _seen(files)
            is_local = Path(project.variables_root) == project.root / ".variables"
            if not is_local or (seen and max(seen.values())[0] > began_ns - _SURELY_OLD_NS):
                seen = None
            stored = _Stored(found, signature, now, seen)
            with self._lock:
                self._kept[path] = stored
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        return stored.freshness


def _seen(files: Iterable[str]) -> dict[str, tuple[int, int]]:
    """When each file was last changed, and its size; zeros for one that is not there."""
    seen = {}
    for file in files:
        try:
            stat = os.stat(file)  # noqa: PTH116 - hundreds of files, after each edit of a notebook
            seen[file] = max(stat.st_mtime_ns, stat.st_ctime_ns), stat.st_size
        except OSError:
            seen[file] = 0, 0
    return seen


def stored_freshness(project: Project, name: str, store: VariableStore) -> dict[str, Any]:
    """Block -> `state` and `reason`, of a pipeline as its files say; empty if they are bad."""
    return _looked_up(project, name, store)[0]


def pipeline_freshness(
    project: Project, pipeline: Pipeline, store: VariableStore
) -> dict[str, Any]:
    """The same for a pipeline that was read; what `run --changed` would do says it."""
    return _freshness(project, pipeline, store)[0]


def _looked_up(
    project: Project, name: str, store: VariableStore
) -> tuple[dict[str, Any], Iterable[str] | None]:
    """Freshness of a pipeline, and the files of code it depends on; none where nothing is known."""
    if name not in project.pipelines():
        return {}, None
    try:
        return _freshness(project, project.pipeline(name), store)
    except (BlocksError, OSError):
        return {}, None


def _freshness(
    project: Project, pipeline: Pipeline, store: VariableStore
) -> tuple[dict[str, Any], Iterable[str]]:
    parameters = resolve_parameters(project.root, pipeline, {}, ())
    fingerprints = Fingerprints(project.root, pipeline, parameters)
    plan = make_plan(
        pipeline,
        RunOptions(parameters=parameters, changed=True),
        run_id="",
        store=store,
        fingerprints=fingerprints,
    )
    found = {block.name: _said(block, store, pipeline.name) for block in plan.blocks}
    return found, fingerprints.files


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
