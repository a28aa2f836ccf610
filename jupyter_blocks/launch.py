"""From a request to a finished run: plan, open journal, store and executors, dispatch.

What the command line and `jupyter_blocks.run` share. Everything that can be wrong with the request
or the project is found here, before anything runs.
"""

from __future__ import annotations

import base64
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from jupyter_blocks.adopting import CutOff, adopted
from jupyter_blocks.block import Block
from jupyter_blocks.blockcheck import check_block_file
from jupyter_blocks.dispatcher import Dispatcher, Listener
from jupyter_blocks.effects import Submit
from jupyter_blocks.errors import Problem, UsageError, raise_errors
from jupyter_blocks.executors.base import (
    BlockTask,
    CallMode,
    Executor,
    ExecutorContext,
    InputRef,
    attempt_id,
)
from jupyter_blocks.executors.table import open_executor
from jupyter_blocks.freshness import Fingerprints
from jupyter_blocks.frozen import changed
from jupyter_blocks.journal import Journal
from jupyter_blocks.parameters import resolve_parameters
from jupyter_blocks.pipeline import Pipeline
from jupyter_blocks.plan import RunOptions, RunPlan
from jupyter_blocks.planner import make_plan
from jupyter_blocks.project import Project, ensure_folders
from jupyter_blocks.resuming import Earlier, earlier_of
from jupyter_blocks.run import EventKind, RunEvent, RunState, RunStatus
from jupyter_blocks.variables.store import VariableStore

__all__ = ["Launch", "RunRequest", "new_run_id", "prepare"]

PREVIEWS = "jupyter_blocks.variables.preview"
PRELOADED = ("numpy", "pandas", "pyarrow", "matplotlib", "matplotlib.pyplot", PREVIEWS)
"""Modules worth importing once, before workers are forked: common, slow, and safe to fork."""

ATTEMPTS_PER_START = 1_000_000
"""Attempts are numbered anew at each resume, above any number used before: events of local attempts
may be lost with the dispatcher, so the numbers it used cannot be known."""


@dataclass(frozen=True)
class RunRequest:
    """What the user asked for, as they wrote it."""

    runtime_vars: Mapping[str, Any] = field(default_factory=dict)
    params: tuple[str, ...] = ()
    """`NAME=VALUE` texts."""
    executor: str | None = None
    blocks: tuple[str, ...] = ()
    from_block: str | None = None
    to_block: str | None = None
    changed: bool = False
    resume: str | None = None
    """Run to go on with: its id, the beginning of its id, or `last`."""
    skip_sensors: bool = False
    run_tests: bool = True
    max_workers: int | None = None
    execution_date: datetime | None = None

    def options(self, parameters: Mapping[str, Any]) -> RunOptions:
        """The part of the request that the plan is made from."""
        return RunOptions(
            parameters=parameters,
            executor=self.executor,
            blocks=self.blocks,
            from_block=self.from_block,
            to_block=self.to_block,
            changed=self.changed,
            skip_sensors=self.skip_sensors,
            run_tests=self.run_tests,
            max_workers=self.max_workers,
        )


def new_run_id(now: float) -> str:
    """An id that sorts by time and that two runs of one second do not share."""
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d-%H%M%S")
    return f"{stamp}-{base64.b32encode(os.urandom(4)).decode().lower()[:5]}"


def prepare(project: Project, pipeline: Pipeline, request: RunRequest) -> Launch:
    """Plan a run and check everything that can be checked before it.

    Raises `ValidationError` with every problem, or `UsageError`.
    """
    store = VariableStore(project.variables_root)
    under_way: tuple[CutOff, ...] = ()
    if request.resume:
        earlier = earlier_of(project, pipeline, request.resume, store)
        _check_resuming(earlier.plan, request)
        fingerprints = Fingerprints(project.root, pipeline, earlier.plan.parameters)
        plan = _resumed(project, pipeline, request, store, earlier, fingerprints)
        under_way = earlier.cut_off
    else:
        given = request.runtime_vars, request.params
        parameters = resolve_parameters(project.root, pipeline, *given)
        fingerprints = Fingerprints(project.root, pipeline, parameters)
        options = request.options(parameters)
        plan = _plan(project, pipeline, options, request.execution_date, store, fingerprints)
    warnings = _check_files(project, pipeline, plan)
    imports = {
        block.name: frozenset(fingerprints.imported_names([pipeline.block(block.name)]))
        for block in plan.running
    }
    return Launch(project, pipeline, plan, store, request, imports, tuple(warnings), under_way)


def _plan(
    project: Project,
    pipeline: Pipeline,
    options: RunOptions,
    execution_date: datetime | None,
    store: VariableStore,
    fingerprints: Fingerprints,
) -> RunPlan:
    now = time.time()
    date = execution_date or datetime.fromtimestamp(now, UTC)
    return make_plan(
        pipeline,
        options,
        run_id=new_run_id(now),
        store=store,
        fingerprints=fingerprints,
        execution_date=date.isoformat(),
        working_dir=_working_dir(project, pipeline),
    )


def _resumed(
    project: Project,
    pipeline: Pipeline,
    request: RunRequest,
    store: VariableStore,
    earlier: Earlier,
    fingerprints: Fingerprints,
) -> RunPlan:
    old = earlier.plan
    options = replace(
        request.options(old.parameters),
        executor=request.executor or earlier.executor,
        run_tests=request.run_tests and old.run_tests,
    )
    return make_plan(
        pipeline,
        options,
        run_id=old.run_id,
        store=store,
        fingerprints=fingerprints,
        kept=earlier.decisions,
        first_sequence=earlier.starts * ATTEMPTS_PER_START,
        execution_date=old.execution_date,
        working_dir=_working_dir(project, pipeline),
    )


def _check_resuming(old: RunPlan, request: RunRequest) -> None:
    if request.runtime_vars or request.params:
        raise UsageError(
            f"Run {old.run_id} goes on with the parameters it was started with.",
            hint="Leave --param and --runtime-vars out, or start a new run.",
        )
    if request.blocks or request.from_block or request.to_block or request.changed:
        raise UsageError(
            f"Run {old.run_id} goes on with the blocks it was started for.",
            hint="Leave --block, --from, --to and --changed out, or start a new run.",
        )


def _working_dir(project: Project, pipeline: Pipeline) -> str:
    notebook = pipeline.notebook
    return str((project.root / notebook).parent if notebook else Path.cwd())


def _check_files(project: Project, pipeline: Pipeline, plan: RunPlan) -> list[Problem]:
    """Errors of the files of the blocks that will run are raised; warnings are returned."""
    problems: list[Problem] = []
    for planned in plan.running:
        problems += check_block_file(project.root, pipeline.block(planned.name))
    raise_errors(problems)
    return [problem for problem in problems if problem.severity == "warning"]


@dataclass(frozen=True)
class Launch:
    """A run that is planned and checked, and can be started."""

    project: Project
    pipeline: Pipeline
    plan: RunPlan
    store: VariableStore
    request: RunRequest
    imports: Mapping[str, frozenset[str]]
    """Block that will run -> full names of the modules that it and its helpers import."""
    warnings: tuple[Problem, ...] = ()
    under_way: tuple[CutOff, ...] = ()
    """Attempts of the run that is resumed that were under way when its dispatcher ended."""

    @contextmanager
    def dispatcher(
        self,
        listener: Listener = lambda _state, _event: None,
        warn: Callable[[Sequence[Problem]], None] = lambda _problems: None,
    ) -> Iterator[Dispatcher]:
        """Hold the run, open the executors and make the dispatcher that drives it.

        `warn` is given what the executors find odd in the blocks; the run goes on. Raises
        `RunHeldError` when another process drives the run, `ExecutorError` when an executor cannot
        be opened.
        """
        wake = threading.Event()
        ensure_folders(self.project)
        with ExitStack() as stack:
            journal = stack.enter_context(Journal(self.project.state_dir))
            stack.enter_context(journal.hold(self.plan.run_id))
            executors = self._open_executors(stack, wake)
            warn(self._check_tasks(executors))
            state = self._start(journal, executors)
            yield Dispatcher(state, journal, self.store, executors, self.task, wake, listener)

    def _start(self, journal: Journal, executors: Mapping[str, Executor]) -> RunState:
        if self.request.resume:
            self._finish_commits()
        state = RunState(self.plan)
        adopting = adopted(self.under_way, state, executors, time.time())
        kind = EventKind.RUN_RESUMED if self.request.resume else EventKind.RUN_STARTED
        started = RunEvent(kind, time.time())
        self.store.record_run_text(self.plan.pipeline, self.plan.run_id, "plan", self.plan.text)
        journal.start(self.plan, [started, *adopting])
        for event in (started, *adopting):
            state.apply(event)
        return state

    def _finish_commits(self) -> None:
        """What this run has done is what people see, also where it was cut off in between."""
        run_id = self.plan.run_id
        for block in self.plan.blocks:
            if block.stored is not None and block.stored.run_id == run_id:
                self.store.finish_commit(self.plan.pipeline, run_id, block.name)

    def _open_executors(self, stack: ExitStack, wake: threading.Event) -> dict[str, Executor]:
        executors: dict[str, Executor] = {}
        preload = self._preload()
        for name in sorted({block.executor for block in self.plan.running}):
            context = ExecutorContext(
                project=str(self.project.root),
                settings=self.project.executor_settings(name),
                max_workers=self._max_workers(),
                preload=preload,
                modules=self.imports,
                notify=wake.set,
            )
            executors[name] = open_executor(name, context)
            stack.callback(executors[name].close)
        return executors

    def _max_workers(self) -> int | None:
        limits = [self.request.max_workers, self.pipeline.concurrency_limit]
        return min((limit for limit in limits if limit is not None), default=None)

    def _preload(self) -> Sequence[str]:
        used = set[str]().union(*self.imports.values())
        if "pandas" in used:
            used |= {"numpy", "pyarrow", PREVIEWS}
        return [name for name in PRELOADED if name in used]

    def _check_tasks(self, executors: Mapping[str, Executor]) -> list[Problem]:
        """Errors of the tasks that will be run are raised; warnings are returned."""
        state = RunState(self.plan)
        problems: list[Problem] = []
        for planned in self.plan.running:
            executor = executors[planned.executor]
            if executor.outlives_dispatcher or self.pipeline.block(planned.name).resources:
                problems += executor.check(self.task(state, Submit(planned.name, 1, 1)))
        found = _of_all(problems)
        raise_errors(found)
        return found

    def task(self, state: RunState, submit: Submit) -> BlockTask:
        """The task of one attempt."""
        block = self.pipeline.block(submit.block)
        planned = state.blocks[block.name].planned
        plan = self.plan
        attempt = attempt_id(self.project.project_id, plan.run_id, block.name, submit.sequence)
        upstream = tuple(self._reference(state, name) for name in block.upstream)
        inputs = {
            reference.block: reference.content
            for reference in upstream
            if reference.run_id and not state.blocks[reference.block].planned.is_sensor
        }
        task = changed(
            self._common,
            block=block.name,
            type=block.type.name,
            attempt_id=attempt,
            attempt=submit.attempt,
            file=block.file,
            content=block.content,
            upstream=upstream,
            configuration=block.configuration,
            prefix=self.store.prefix(plan.pipeline, plan.run_id, block.name, attempt),
            fingerprint={**planned.fingerprint, "inputs": inputs},
            conditions=block.conditions,
            callbacks=block.callbacks,
            is_last_attempt=state.blocks[block.name].failures >= planned.retry.retries,
            timeout_s=planned.timeout_s,
            resources=block.resources,
            executor_config=block.executor_config,
            keep=state.is_read(block.name),
        )
        return _bound(task, block, self.pipeline)

    @cached_property
    def _common(self) -> BlockTask:
        """What all tasks of the run have in common; the rest is empty."""
        plan = self.plan
        return BlockTask(
            run_id=plan.run_id,
            pipeline=plan.pipeline,
            block="",
            type="",
            attempt_id="",
            attempt=0,
            project=str(self.project.root),
            working_dir=plan.working_dir,
            file="",
            parameters=plan.parameters,
            execution_date=plan.execution_date,
            env=os.environ.get("ENV", "dev"),
            variables=self.project.variables_root,
            run_tests=plan.run_tests,
        )

    def _reference(self, state: RunState, name: str) -> InputRef:
        """What a task reads of a block: what it stored, or will have stored on the same worker."""
        upstream = state.blocks[name]
        if upstream.stored is None and upstream.attempt_id in state.active:
            return InputRef(name, self.plan.run_id, upstream.attempt_id)
        return upstream.stored or InputRef(name)

    def finish(self, state: RunState) -> None:
        """Leave the outcome of the run beside its outputs, for `repair` and for people."""
        if state.status is not RunStatus.RUNNING:
            self.store.record_run(self.plan.pipeline, self.plan.run_id, "result", state.as_json())


def _of_all(problems: Iterable[Problem]) -> list[Problem]:
    """Each problem once: what several blocks have in common is one of the pipeline."""
    found: dict[Problem, list[Problem]] = {}
    for problem in problems:
        found.setdefault(replace(problem, block=None), []).append(problem)
    return [same[0] if len(same) == 1 else common for common, same in found.items()]


def _bound(task: BlockTask, block: Block, pipeline: Pipeline) -> BlockTask:
    if block.binding is None:
        return task
    return changed(
        task,
        call=CallMode.NAMED,
        inputs={name: str(source) for name, source in block.binding.inputs.items()},
        outputs=block.binding.outputs,
        unread=pipeline.unread_outputs(block),
        shared=pipeline.shared_outputs(block),
        used_parameters=block.binding.parameters,
        random_streams=block.binding.random_streams,
        together=block.binding.together,
    )
