"""Small plans and states for tests of the runner, without projects or files."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from jupyter_blocks.effects import (
    Commit,
    Committed,
    Drop,
    Effect,
    Fact,
    HandOver,
    Record,
    Stop,
    Submit,
)
from jupyter_blocks.executors.base import InputRef, JobHandle, Observation, Phase, Reason
from jupyter_blocks.plan import Action, PlannedBlock, RunPlan
from jupyter_blocks.run import EventKind, RunEvent, RunState
from jupyter_blocks.runner import decide


def plan(
    upstream: Mapping[str, tuple[str, ...]], settings: Mapping[str, Mapping[str, Any]] | None = None
) -> RunPlan:
    """A plan that runs every block; `upstream` must be in topological order."""
    blocks = []
    for name, above in upstream.items():
        values: dict[str, Any] = {
            "name": name,
            "type": "transformer",
            "action": Action.RUN,
            "reason": "everything runs",
            "executor": "local_python",
            "executor_reason": "default",
            "upstream": above,
            "waits_for": above,
        }
        values.update((settings or {}).get(name, {}))
        blocks.append(PlannedBlock(**values))
    return RunPlan("run-1", "test", tuple(blocks))


class Simulation:
    """Drives a state with `decide` as the dispatcher does, with a clock and a backend of its own.

    `script` maps a block to what its attempts come to, one after the other; the last one is
    repeated. The default is success. With `lines` the backend takes blocks behind others; it
    begins one before the front one is stored where `begins_early` names it.
    """

    def __init__(
        self,
        run_plan: RunPlan,
        script: Mapping[str, list[Observation | Phase]] | None = None,
        room: int | None = None,
        *,
        lines: bool = False,
        begins_early: Collection[str] = (),
    ) -> None:
        self.state = RunState(run_plan)
        self.script = {name: list(outcomes) for name, outcomes in (script or {}).items()}
        self.room = room
        self.now = 1000.0
        self.submitted: list[tuple[float, str]] = []
        self.stopped: list[str] = []
        self.most_active = 0
        self._running: dict[str, str] = {}
        self._lines = lines
        self._begins_early = begins_early

    def attempts(self, block: str) -> int:
        return sum(1 for _, name in self.submitted if name == block)

    def step(self, facts: list[Fact]) -> list[Effect]:
        waiting = len(self.state.handed)
        free = None if self.room is None else self.room - len(self._running) + waiting
        effects = decide(self.state, facts, self.now, {"local_python": free})
        following: list[Fact] = []
        for effect in effects:
            following += self._carry_out(effect)
        if following:
            self.step(following)
        return effects

    def _carry_out(self, effect: Effect) -> list[Fact]:
        if isinstance(effect, Record):
            self.state.apply(effect.event)
        elif isinstance(effect, Submit):
            attempt = f"{effect.block}-{effect.sequence}"
            data = {"sequence": effect.sequence, "attempt": effect.attempt}
            event = RunEvent(EventKind.SUBMITTING, self.now, effect.block, attempt, data)
            self.state.apply(event)
            handle = {"handle": vars(JobHandle("fake", attempt))}
            self.state.apply(RunEvent(EventKind.SUBMITTED, self.now, effect.block, attempt, handle))
            self.submitted.append((self.now, effect.block))
            self._running[attempt] = effect.block
            self.most_active = max(self.most_active, len(self._running))
        elif isinstance(effect, HandOver):
            self._hand_over(effect)
        elif isinstance(effect, Drop):
            self.state.apply(RunEvent(EventKind.DROPPED, self.now, effect.block, effect.attempt_id))
        elif isinstance(effect, Commit):
            for submit in effect.ahead:
                self._carry_out(submit)
            stored = InputRef(effect.block, "run-1", effect.attempt_id, "digest", "content")
            return [Committed(effect.attempt_id, stored, {"x": {"rows": 1}}, effect.report)]
        elif isinstance(effect, Stop):
            self.stopped.append(effect.block)
            self.script[effect.block] = [Phase.CANCELLED]
        return []

    def _hand_over(self, effect: HandOver) -> None:
        front = self.state.blocks[effect.behind].attempt_id
        if not self._lines or front not in self._running:
            return
        attempt = f"{effect.block}-{effect.sequence}"
        data = {
            "sequence": effect.sequence,
            "attempt": effect.attempt,
            "behind": effect.behind,
            "handle": {"executor": "local_python", "attempt_id": attempt},
        }
        self.state.apply(RunEvent(EventKind.HANDED_OVER, self.now, effect.block, attempt, data))
        self._running[attempt] = effect.block

    def _begin_early(self) -> None:
        for attempt, name in list(self._running.items()):
            if name in self._begins_early and name in self.state.handed:
                self.step([Observation(attempt, Phase.RUNNING, node="pid 1")])

    def outcome(self, attempt: str, block: str) -> Observation:
        above = [self.state.blocks[name].status for name in self.state.open_upstream(block)]
        above += [self.state.blocks[n].status for n in self.state.blocks[block].planned.waits_for]
        if not all(status.lets_downstream_run for status in above):
            return Observation(attempt, Phase.CANCELLED, Reason.DROPPED)
        outcomes = self.script.get(block, [Phase.SUCCEEDED])
        outcome = outcomes.pop(0) if len(outcomes) > 1 else outcomes[0]
        if isinstance(outcome, Phase):
            reason = Reason.USER_ERROR if outcome is Phase.FAILED else Reason.NONE
            return Observation(attempt, outcome, reason)
        return Observation(attempt, outcome.phase, outcome.reason, outcome.detail)

    def run(self, limit: int = 100_000) -> RunState:
        """Drive to the end; time passes only when nothing else can be done."""
        for _ in range(limit):
            if self.state.status.is_final:
                return self.state
            if self.step([]):
                continue
            if self._running:
                self._begin_early()
                attempt, block = next(iter(self._running.items()))
                del self._running[attempt]
                self.step([self.outcome(attempt, block)])
                continue
            timer = self.state.next_timer()
            assert timer is not None, "nothing runs and nothing is due: the run is stuck"
            self.now = max(self.now, timer)
        raise AssertionError("the run does not end")
