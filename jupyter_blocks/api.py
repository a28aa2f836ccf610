"""The Python API: run a pipeline, load what it stored. Does what the command line does, silently.

import jupyter_blocks
result = jupyter_blocks.run("flights", project_path="my_project", runtime_vars={"month": 1})
table = jupyter_blocks.load("my_project", "flights", "join_weather")
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jupyter_blocks.errors import BlockFailedError, UsageError, VariableNotFoundError
from jupyter_blocks.launch import RunRequest, prepare
from jupyter_blocks.opening import Opened, open_target
from jupyter_blocks.project import is_notebook, open_project
from jupyter_blocks.report import failure_text, failures
from jupyter_blocks.run import RunState
from jupyter_blocks.variables.store import VariableStore

__all__ = ["RunResult", "load", "run"]


@dataclass(frozen=True)
class RunResult:
    """How a run ended."""

    run_id: str
    pipeline: str
    status: str
    """`SUCCEEDED`, `FAILED` or `CANCELLED`."""
    blocks: Mapping[str, Mapping[str, Any]]
    """Block -> its entry in `run --json`: status, executor, reason, attempts, duration_s, error,
    outputs."""

    @property
    def ok(self) -> bool:
        """Whether every block that was to run did."""
        return self.status == "SUCCEEDED"


def run(
    pipeline: str | os.PathLike[str],
    project_path: str | os.PathLike[str] = ".",
    runtime_vars: Mapping[str, Any] | None = None,
    *,
    executor: str | None = None,
    blocks: Iterable[str] = (),
    from_block: str | None = None,
    to_block: str | None = None,
    changed: bool = False,
    resume: str | None = None,
    skip_sensors: bool = False,
    run_tests: bool = True,
    max_workers: int | None = None,
    execution_date: datetime | None = None,
    check: bool = False,
) -> RunResult:
    """Run a pipeline to its end.

    Args:
        pipeline: Name of a pipeline of the project, or a notebook, which is exported first.
        project_path: Folder of the project; for a notebook, the folder its path is relative to.
        runtime_vars: Parameters; those left out have their defaults.
        executor: Run every block on this executor.
        blocks: Only these blocks; their inputs come from the store.
        from_block: Only this block and those after it.
        to_block: Only this block and those before it.
        changed: Only what is stale.
        resume: Go on with this run: its id, the beginning of it, or `last`.
        skip_sensors: Take what sensors wait for as given.
        run_tests: Run the tests of the blocks.
        max_workers: At most so many blocks at once; by default one for each core.
        execution_date: Date the blocks are told; by default now.
        check: Raise `BlockFailedError` if a block failed, as `subprocess.run` does.

    Raises `ValidationError` with every problem, `UsageError` or another `BlocksError` if the
    request or the project is wrong; nothing has run then. A block that fails is told by the result.
    """
    opened = _opened(os.fspath(pipeline), Path(project_path))
    request = RunRequest(
        runtime_vars=dict(runtime_vars or {}),
        executor=executor,
        blocks=(blocks,) if isinstance(blocks, str) else tuple(blocks),
        from_block=from_block,
        to_block=to_block,
        changed=changed,
        resume=resume,
        skip_sensors=skip_sensors,
        run_tests=run_tests,
        max_workers=max_workers,
        execution_date=execution_date,
    )
    launch = prepare(opened.project, opened.pipeline, request)
    with launch.dispatcher() as dispatcher:
        state = dispatcher.run()
    launch.finish(state)
    if check:
        _raise_failures(state, launch.store)
    document = state.as_json()
    return RunResult(**document)


def load(
    project: str | os.PathLike[str], pipeline: str, block: str, output: str | None = None
) -> Any:
    """The latest stored output of a block, as a fresh value.

    `output` may be left out if the block has exactly one. Raises `VariableNotFoundError` saying
    what there is, and `CorruptVariableError` if what is stored was changed.
    """
    opened = open_project(os.fspath(project))
    store = VariableStore(opened.variables_root)
    manifest = store.latest(pipeline, block)
    if manifest is None:
        name = opened.pipeline(pipeline).block(block).name
        raise VariableNotFoundError(
            f"Block '{name}' of pipeline '{pipeline}' has no stored outputs.",
            pipeline=pipeline,
            block=name,
            hint="Run it first.",
        )
    if output is None:
        if len(manifest.outputs) != 1:
            names = ", ".join(manifest.outputs) or "none"
            raise UsageError(
                f"Block '{block}' has {len(manifest.outputs)} outputs: {names}.",
                pipeline=pipeline,
                block=block,
                hint="Name one of them.",
            )
        output = next(iter(manifest.outputs))
    return store.load(manifest, output)


def _opened(pipeline: str, folder: Path) -> Opened:
    if is_notebook(pipeline):
        return open_target(pipeline, cwd=folder)
    return open_target(str(folder), pipeline)


def _raise_failures(state: RunState, store: VariableStore) -> None:
    failed = failures(state)
    if failed:
        text = "\n\n".join(failure_text(block, state.plan, store) for block in failed)
        raise BlockFailedError(text, pipeline=state.plan.pipeline, block=failed[0].name)
