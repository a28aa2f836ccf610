"""What became of an attempt on another machine: from the worker's report, or from its exit."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jupyter_blocks.executors.base import Observation, Phase, Reason
from jupyter_blocks.executors.jobs import JobState
from jupyter_blocks.executors.reports import EXIT_CODES, EXIT_WRONG_TASK, observed_end

__all__ = ["Verdict", "of_report", "without_report"]

_EXITS: Mapping[int, tuple[Phase, Reason, str]] = {
    EXIT_CODES[Reason.NONE]: (
        Phase.FAILED,
        Reason.PROTOCOL,
        "it ended well and left no result; does the image run the command it is given?",
    ),
    EXIT_CODES[Reason.INPUT_MISSING]: (
        Phase.FAILED,
        Reason.INPUT_MISSING,
        "what the block reads is missing or damaged",
    ),
    EXIT_WRONG_TASK: (
        Phase.FAILED,
        Reason.CONFIGURATION,
        "the worker could not read its task from the store",
    ),
    EXIT_CODES[Reason.CONFIGURATION]: (
        Phase.FAILED,
        Reason.CONFIGURATION,
        "the image lacks something the block needs",
    ),
    EXIT_CODES[Reason.CANCELLED]: (Phase.CANCELLED, Reason.CANCELLED, "stopped"),
    126: (
        Phase.FAILED,
        Reason.CONFIGURATION,
        "the image cannot execute its Python",
    ),
    127: (Phase.FAILED, Reason.CONFIGURATION, "the image has no Python"),
}
"""Exit codes of the worker, and of a shell that could not start it."""


@dataclass(frozen=True)
class Verdict:
    """What is known of an attempt."""

    phase: Phase
    reason: Reason = Reason.NONE
    detail: str = ""
    node: str = ""

    def with_lines(self, lines: Sequence[str]) -> Verdict:
        """The same, with the last words of the container."""
        if not lines:
            return self
        return replace(self, detail=f"{self.detail}; its last lines: {' | '.join(lines)}")

    def observation(self, attempt_id: str) -> Observation:
        """As the runner wants it."""
        return Observation(attempt_id, self.phase, self.reason, self.detail, node=self.node)


def of_report(attempt_id: str, report: Mapping[str, Any], node: str) -> Observation:
    """What a worker's own report says. The manifest is left for the store to read and verify."""
    kept = {key: value for key, value in report.items() if key != "manifest"}
    return observed_end(attempt_id, kept, node)


def without_report(state: JobState, heartbeat: Mapping[str, Any] | None) -> Verdict:
    """What the platform says of a job that has ended and left no report."""
    if state.reason is Reason.OUT_OF_MEMORY:
        peak = (heartbeat or {}).get("peak_rss_mib")
        seen = f" (it held {peak:g} MiB when it was last heard of)" if peak else ""
        return Verdict(Phase.FAILED, state.reason, f"{state.detail}{seen}", state.node)
    if state.reason is not Reason.NONE:
        phase = Phase.FAILED if state.phase is Phase.SUCCEEDED else state.phase
        return Verdict(phase, state.reason, state.detail, state.node)
    if state.phase is Phase.SUCCEEDED:
        return _verdict(0, state)
    if state.exit_code is not None:
        return _verdict(state.exit_code, state)
    if state.phase is Phase.CANCELLED:
        return Verdict(Phase.CANCELLED, Reason.CANCELLED, state.detail or "stopped", state.node)
    detail = state.detail or "the job failed, and the platform does not say why"
    return Verdict(Phase.FAILED, Reason.CRASHED, detail, state.node)


def _verdict(exit_code: int, state: JobState) -> Verdict:
    if exit_code in _EXITS:
        phase, reason, words = _EXITS[exit_code]
        return Verdict(phase, reason, state.detail or words, state.node)
    words = state.detail or _exit_words(exit_code)
    return Verdict(Phase.FAILED, Reason.CRASHED, words, state.node)


def _exit_words(exit_code: int) -> str:
    if exit_code <= 128:
        return f"the worker ended with exit code {exit_code}"
    try:
        name = signal.Signals(exit_code - 128).name
    except ValueError:
        return f"the worker ended with exit code {exit_code}"
    hint = ": somebody killed it, or it used more memory than it may" if name == "SIGKILL" else ""
    return f"the worker was ended by {name}{hint}"
