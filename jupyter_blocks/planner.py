"""Makes the plan of a run from the pipeline, the options and what the variable store holds.

Planning has no side effects. Every decision comes with its reason.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from jupyter_blocks.block import Block, RetryPolicy
from jupyter_blocks.errors import Problem, UsageError, ValidationError
from jupyter_blocks.executors.base import InputRef
from jupyter_blocks.executors.table import executor_names, is_known_executor
from jupyter_blocks.freshness import Fingerprints
from jupyter_blocks.pipeline import Pipeline
from jupyter_blocks.plan import Action, PlannedBlock, RunOptions, RunPlan
from jupyter_blocks.variables.manifest import PARTS_FORMAT, Manifest
from jupyter_blocks.variables.store import VariableStore

__all__ = ["ASKED_FOR_EXECUTOR", "Decision", "choose_executor", "make_plan", "reference"]

DEFAULT_EXECUTOR = "local_python"
FORCED_LOCAL = "local_python_force"
DEFAULT_EXECUTOR_VARIABLE = "DEFAULT_EXECUTOR_TYPE"
ASKED_FOR_EXECUTOR = "asked for with --executor"
"""Why a block runs on an executor that the request names."""


class Decision(NamedTuple):
    """What to do with a block, why, and the stored outputs that stand in for it."""

    action: Action
    reason: str
    stored: Manifest | None = None


def choose_executor(
    block: Block, pipeline: Pipeline, option: str | None, environment: Mapping[str, str]
) -> tuple[str, str]:
    """The executor of a block and the reason for it: the first setting that speaks.

    The order is: option, block, pipeline, pipeline type `pyspark` (not for sensors), the
    environment's `DEFAULT_EXECUTOR_TYPE`, `local_python`.
    """
    choices: tuple[tuple[str | None, str], ...] = (
        (option, ASKED_FOR_EXECUTOR),
        (block.executor_type, "executor_type of the block"),
        (pipeline.executor_type, "executor_type of the pipeline"),
        (
            "pyspark" if pipeline.type == "pyspark" and block.type.name != "sensor" else None,
            "the pipeline is of type pyspark",
        ),
        (environment.get(DEFAULT_EXECUTOR_VARIABLE), f"{DEFAULT_EXECUTOR_VARIABLE} is set"),
    )
    for name, reason in choices:
        if name:
            return (DEFAULT_EXECUTOR if name == FORCED_LOCAL else name), reason
    return DEFAULT_EXECUTOR, "default"


def make_plan(
    pipeline: Pipeline,
    options: RunOptions,
    *,
    run_id: str,
    store: VariableStore,
    fingerprints: Fingerprints,
    kept: Mapping[str, Decision] | None = None,
    first_sequence: int = 0,
    execution_date: str = "",
    working_dir: str = "",
    environment: Mapping[str, str] | None = None,
) -> RunPlan:
    """Plan one run.

    `kept` is what a resumed run did or decided already; its attempts are numbered from
    `first_sequence` on, so that none is taken for an attempt made before.
    Raises `ValidationError` with every problem: unknown executors, missing stored inputs.
    """
    kept = kept or {}
    idle = _idle_sensors(pipeline, options, store, fingerprints, kept)
    planner = _Planner(pipeline, options, store, fingerprints, kept, idle)
    variables = os.environ if environment is None else environment
    problems: list[Problem] = []
    planned: list[PlannedBlock] = []
    for name in pipeline.graph.order:
        block = pipeline.block(name)
        executor, why = choose_executor(block, pipeline, options.executor, variables)
        action, reason, stored = planner.decide(block)
        if action is Action.RUN and not is_known_executor(executor):
            problems.append(_unknown_executor(pipeline, block, executor, why))
        planned.append(
            PlannedBlock(
                name=name,
                type=block.type.name,
                action=action,
                reason=reason,
                executor=executor,
                executor_reason=why,
                upstream=block.upstream,
                waits_for=tuple(up for up in block.upstream if up in planner.running),
                retry=block.retry or RetryPolicy(),
                timeout_s=block.timeout_s,
                sensor=block.sensor,
                fingerprint=fingerprints.of(block) if action is Action.RUN else {},
                stored=reference(stored) if stored else None,
                stored_outputs=_summary(stored),
                sequence=first_sequence,
            )
        )
    problems += planner.problems
    if problems:
        raise ValidationError(problems)
    return RunPlan(
        run_id=run_id,
        pipeline=pipeline.name,
        blocks=tuple(planned),
        parameters=dict(options.parameters),
        run_tests=options.run_tests,
        execution_date=execution_date,
        working_dir=working_dir,
    )


class _Planner:
    """Says for one block after the other, in order, whether it runs."""

    def __init__(
        self,
        pipeline: Pipeline,
        options: RunOptions,
        store: VariableStore,
        fingerprints: Fingerprints,
        kept: Mapping[str, Decision],
        idle_sensors: frozenset[str] = frozenset(),
    ) -> None:
        self.pipeline = pipeline
        self.options = options
        self.store = store
        self.fingerprints = fingerprints
        self.kept = kept
        self.running: set[str] = set()
        self.problems: list[Problem] = []
        self.selected = _selection(pipeline, options)
        self._idle_sensors = idle_sensors
        self._stored: dict[str, Manifest | None] = {}
        self._needed = self._find_needed() if options.selects else frozenset()

    def decide(self, block: Block) -> Decision:
        """Decide about the next block."""
        decision = self.kept.get(block.name) or self._decide(block)
        if decision.action is Action.RUN:
            self.running.add(block.name)
        else:
            self._stored[block.name] = decision.stored
        return decision

    def _decide(self, block: Block) -> Decision:
        name = block.name
        if name not in self.selected:
            return self._left_out(block)
        if block.type.name == "sensor" and self.options.skip_sensors:
            return Decision(Action.SKIPPED, "sensors are skipped (--skip-sensors)")
        if name in self._idle_sensors:
            return Decision(Action.SKIPPED, "nothing after it has to run")
        if not self.options.changed:
            return Decision(Action.RUN, self._why_selected(name))
        if block.type.name == "sensor":
            return Decision(Action.RUN, "blocks after it have to run")
        manifest = self._latest(name)
        why = self._why_stale(block, manifest)
        if why:
            return Decision(Action.RUN, why)
        return Decision(Action.CACHED, "unchanged since it last ran", manifest)

    def _left_out(self, block: Block) -> Decision:
        manifest = self._latest(block.name)
        if manifest is None and block.name in self._needed and block.type.name != "sensor":
            self.problems.append(self._missing_input(block))
        return Decision(Action.SKIPPED, "not asked for", manifest)

    def _why_selected(self, name: str) -> str:
        options = self.options
        if name in options.blocks:
            return "asked for with --block"
        if options.from_block or options.to_block:
            parts = [
                f"{flag} {value}"
                for flag, value in (("--from", options.from_block), ("--to", options.to_block))
                if value
            ]
            return f"selected by {' '.join(parts)}"
        return "everything runs"

    def _why_stale(self, block: Block, manifest: Manifest | None) -> str:
        if manifest is None:
            return "never run"
        upstream = [
            name
            for name in block.upstream
            if name in self.running and self.pipeline.block(name).type.name != "sensor"
        ]
        if upstream:
            return f"'{upstream[0]}' runs"
        if not block.cache:
            return "its cache is off"
        unread, shared = self.pipeline.unread_outputs(block), self.pipeline.shared_outputs(block)
        for name, output in manifest.outputs.items():
            if output.format == PARTS_FORMAT and name in shared:
                return f"several blocks read its iterator '{name}' now"
            if output.why_not_stored and name not in unread:
                return f"its '{name}', which could not be stored, is read now"
        inputs = {
            name: self._stored.get(name)
            for name in block.upstream
            if self.pipeline.block(name).type.name != "sensor"
        }
        return self.fingerprints.difference(block, inputs, manifest)

    def _latest(self, name: str) -> Manifest | None:
        return self.store.latest(self.pipeline.name, name)

    def _find_needed(self) -> frozenset[str]:
        """Blocks outside the selection whose outputs a selected block reads."""
        needed = (up for name in self.selected for up in self.pipeline.block(name).upstream)
        return frozenset(needed) - self.selected

    def _missing_input(self, block: Block) -> Problem:
        readers = [
            name for name in self.selected if block.name in self.pipeline.block(name).upstream
        ]
        return Problem(
            "missing-input",
            f"Block '{readers[0]}' reads '{block.name}', which has no stored outputs yet.",
            f"Run '{block.name}' first (--block {block.name}), or use --to {readers[0]}.",
            pipeline=self.pipeline.name,
            block=readers[0],
        )


def _idle_sensors(
    pipeline: Pipeline,
    options: RunOptions,
    store: VariableStore,
    fingerprints: Fingerprints,
    kept: Mapping[str, Decision],
) -> frozenset[str]:
    """Sensors below which everything is fresh, so that there is nothing to wait for."""
    graph = pipeline.graph
    sensors = [name for name in graph.order if pipeline.block(name).type.name == "sensor"]
    if not options.changed or not sensors:
        return frozenset()
    probe = _Planner(pipeline, options, store, fingerprints, kept)
    for name in graph.order:
        probe.decide(pipeline.block(name))
    working = probe.running - set(sensors)
    return frozenset(
        name
        for name in sensors
        if graph.descendants(name) and not working & graph.descendants(name)
    )


def _selection(pipeline: Pipeline, options: RunOptions) -> frozenset[str]:
    """The blocks that were asked for; unknown names raise `UsageError`."""
    graph = pipeline.graph
    selected = set(graph.order)
    if options.from_block:
        start = pipeline.block(options.from_block).name
        selected &= graph.descendants(start) | {start}
    if options.to_block:
        end = pipeline.block(options.to_block).name
        selected &= graph.ancestors(end) | {end}
    if not selected:
        raise UsageError(
            f"'{options.to_block}' does not come after '{options.from_block}' "
            f"in pipeline '{pipeline.name}', so there is nothing to run between them.",
            pipeline=pipeline.name,
        )
    if options.blocks:
        named = {pipeline.block(name).name for name in options.blocks}
        selected = selected & named if options.from_block or options.to_block else named
    return frozenset(selected)


def _unknown_executor(pipeline: Pipeline, block: Block, executor: str, why: str) -> Problem:
    return Problem(
        "unknown-executor",
        f"Unknown executor '{executor}' for block '{block.name}' ({why}).",
        f"Available: {', '.join(executor_names())}.",
        pipeline=pipeline.name,
        block=block.name,
        path=_metadata_path(pipeline),
        line=block.line if why.endswith("the block") else None,
    )


def _metadata_path(pipeline: Pipeline) -> str:
    return f"pipelines/{pipeline.name}/metadata.yaml"


def reference(manifest: Manifest) -> InputRef:
    """How a task names the stored outputs of a block."""
    return InputRef.to(manifest)


def _summary(manifest: Manifest | None) -> dict[str, Any]:
    return manifest.summary() if manifest else {}
