"""What a run has done and decided already, for when it is resumed."""

from __future__ import annotations

from dataclasses import dataclass

from jupyter_blocks.adopting import CutOff, cut_off
from jupyter_blocks.errors import UsageError
from jupyter_blocks.journal import Journal
from jupyter_blocks.pipeline import Pipeline
from jupyter_blocks.plan import Action, PlannedBlock, RunPlan
from jupyter_blocks.planner import ASKED_FOR_EXECUTOR, Decision
from jupyter_blocks.project import Project
from jupyter_blocks.variables.manifest import Manifest
from jupyter_blocks.variables.store import VariableStore

__all__ = ["Earlier", "earlier_of"]


@dataclass(frozen=True)
class Earlier:
    """A run as it stands before it is resumed."""

    plan: RunPlan
    """Its newest plan."""
    starts: int
    """How many times it was started or resumed."""
    decisions: dict[str, Decision]
    """For each block that is not to run again: what stands in for it, and why."""
    cut_off: tuple[CutOff, ...] = ()
    """Attempts that were under way when its dispatcher ended."""

    @property
    def executor(self) -> str | None:
        """The executor that was asked for on the command line, if any."""
        asked = (block for block in self.plan.blocks if block.executor_reason == ASKED_FOR_EXECUTOR)
        return next((block.executor for block in asked), None)


def earlier_of(project: Project, pipeline: Pipeline, run: str, store: VariableStore) -> Earlier:
    """The run that `run` names: its id, the beginning of its id, or `last`.

    Raises `UsageError` if there is none, or if it is one of another pipeline.
    """
    with Journal(project.state_dir) as journal:
        run_id = journal.find(run, pipeline.name).run_id
        plan = journal.plan(run_id)
        starts = journal.starts(run_id)
        under_way = cut_off(journal.state(run_id))
    if plan.pipeline != pipeline.name:
        raise UsageError(
            f"Run {plan.run_id} is one of pipeline '{plan.pipeline}', not of '{pipeline.name}'."
        )
    old = {block.name: block for block in plan.blocks}
    decisions: dict[str, Decision] = {}
    for block in pipeline.blocks:
        done = store.committed(pipeline.name, run_id, block.name)
        if done is not None:
            decisions[block.name] = Decision(Action.CACHED, "already done by this run", done)
        elif block.name in old and (decision := _stands(pipeline, old[block.name], store)):
            decisions[block.name] = decision
    return Earlier(plan, starts, decisions, under_way)


def _stands(pipeline: Pipeline, planned: PlannedBlock, store: VariableStore) -> Decision | None:
    """The decision of the first plan not to run a block, unless what it relied on is gone."""
    stored = _stored(pipeline, planned, store)
    if planned.action is Action.SKIPPED:
        return Decision(Action.SKIPPED, planned.reason, stored)
    if planned.action is Action.CACHED and stored is not None:
        return Decision(Action.CACHED, planned.reason, stored)
    return None


def _stored(pipeline: Pipeline, planned: PlannedBlock, store: VariableStore) -> Manifest | None:
    if planned.stored is None:
        return None
    found = store.committed(pipeline.name, planned.stored.run_id, planned.name)
    return found or store.latest(pipeline.name, planned.name)
