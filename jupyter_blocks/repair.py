"""Making a project whole again: the journal rebuilt from what the store holds, the store verified.

The journal is only an index. Each run leaves its plan, its result and its commits beside its
outputs; from them the runs are entered again. A damaged journal is moved aside, never deleted.
"""

from __future__ import annotations

import fcntl
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jupyter_blocks.errors import Problem, RunHeldError
from jupyter_blocks.executors.base import Phase
from jupyter_blocks.journal import Journal
from jupyter_blocks.plan import RunPlan
from jupyter_blocks.planner import reference
from jupyter_blocks.project import Project
from jupyter_blocks.run import BlockStatus, EventKind, RunEvent
from jupyter_blocks.variables.manifest import Manifest
from jupyter_blocks.variables.store import VariableStore

__all__ = ["RepairReport", "repair_project"]


@dataclass(frozen=True)
class RepairReport:
    """What was found and done."""

    moved: Path | None
    """Where the damaged journal is now; none if it was sound."""
    restored: tuple[str, ...]
    """Runs that were entered into the journal."""
    known: int
    """Runs that were there already."""
    problems: tuple[Problem, ...]
    """Stored objects that are missing or damaged, and runs that cannot be read."""

    def as_json(self) -> dict[str, Any]:
        """The report as a JSON document."""
        return {
            "moved": str(self.moved) if self.moved else None,
            "restored": list(self.restored),
            "known": self.known,
            "problems": [problem.as_json() for problem in self.problems],
        }


def repair_project(project: Project) -> RepairReport:
    """Rebuild the journal of a project from its store, and verify what is stored.

    Raises `RunHeldError` while a run goes on.
    """
    _refuse_running(project.state_dir)
    moved = _move_damaged(project.state_dir / "journal.db")
    store = VariableStore(project.variables_root)
    restored: list[str] = []
    problems: list[Problem] = []
    with Journal(project.state_dir) as journal:
        known = {record.run_id for record in journal.runs(limit=10**9, cells=True)}
        for pipeline in store.pipelines():
            for run_id in store.runs(pipeline):
                if run_id in known:
                    continue
                problem = _restore(journal, store, pipeline, run_id)
                if problem is None:
                    restored.append(run_id)
                else:
                    problems.append(problem)
    problems += store.verify()
    return RepairReport(moved, tuple(restored), len(known), tuple(problems))


def _refuse_running(state_dir: Path) -> None:
    for path in sorted((state_dir / "runs").glob("*.lock")):
        with path.open(encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError as error:
                raise RunHeldError(
                    f"Run {path.stem} goes on; the journal cannot be repaired now.",
                    hint=f"Wait for it, or stop it with `jupyter blocks cancel {path.stem}`.",
                ) from error


def _move_damaged(path: Path) -> Path | None:
    """Move a journal that SQLite cannot read aside, with the files that belong to it."""
    if not path.exists() or _is_sound(path):
        return None
    stamp = time.strftime("%Y%m%d-%H%M%S")
    target = path.with_name(f"journal-damaged-{stamp}.db")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(target.with_name(target.name + suffix))
    return target


def _is_sound(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path, timeout=30)) as database:
            answer = database.execute("PRAGMA integrity_check").fetchone()
            database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError:
        return False
    return bool(answer and answer[0] == "ok")


# one run


def _restore(journal: Journal, store: VariableStore, pipeline: str, run_id: str) -> Problem | None:
    """Enter one run into the journal; what keeps it from being entered, or nothing."""
    try:
        document = store.run_document(pipeline, run_id, "plan")
        if document is None:
            return None
        plan = RunPlan.from_json(document)
        result = store.run_document(pipeline, run_id, "result")
        first, *events = _events(plan, store, result)
    except (ValueError, KeyError, TypeError) as error:
        return Problem(
            "unreadable-run",
            f"Run {run_id} of pipeline '{pipeline}' cannot be entered again: {error}.",
            pipeline=pipeline,
            severity="warning",
        )
    journal.start(plan, [first])
    if events:
        journal.append(run_id, events)
    return None


def _events(
    plan: RunPlan, store: VariableStore, result: Mapping[str, Any] | None
) -> Iterator[RunEvent]:
    """Events that add up to what the run left: its commits, and its result if it ended."""
    now = datetime.fromisoformat(plan.execution_date).timestamp()
    yield RunEvent(EventKind.RUN_STARTED, now)
    for planned in plan.running:
        manifest = store.committed(plan.pipeline, plan.run_id, planned.name)
        said = dict(result["blocks"].get(planned.name, {})) if result else {}
        if manifest is not None:
            said["status"] = str(BlockStatus.SUCCEEDED)
            now = max(now, manifest.created_at)
        if said:
            yield from _block_events(planned.name, said, manifest, now)
    if result is not None:
        yield RunEvent(EventKind.RUN_FINISHED, now, data={"status": result["status"]})


def _block_events(
    name: str, said: Mapping[str, Any], manifest: Manifest | None, now: float
) -> Iterator[RunEvent]:
    attempts = int(said.get("attempts", 1))
    attempt_id = manifest.attempt_id if manifest else ""
    if attempts:
        data = {"sequence": attempts, "attempt": attempts}
        yield RunEvent(EventKind.SUBMITTING, now, name, attempt_id, data)
        good = said["status"] == BlockStatus.SUCCEEDED
        phase = Phase.SUCCEEDED if good else Phase.FAILED
        ended = {"phase": str(phase), "duration_s": said.get("duration_s", 0.0)}
        if said.get("error"):
            ended["error"] = said["error"]
        yield RunEvent(EventKind.ATTEMPT_FINISHED, now, name, attempt_id, ended)
    finished = {
        "status": said["status"],
        "reason": said.get("reason", ""),
        "outputs": dict(manifest.summary()) if manifest else said.get("outputs", {}),
        "stored": vars(reference(manifest)) if manifest else None,
    }
    yield RunEvent(EventKind.BLOCK_FINISHED, now, name, attempt_id, finished)
