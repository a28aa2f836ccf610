"""What a worker tells of an attempt: its report and its exit code, and what they mean to a runner.

Every executor reads them the same way, wherever the worker was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyter_blocks.executors.base import Observation, Phase, Reason

__all__ = ["EXIT_CODES", "EXIT_TAKEN", "EXIT_WRONG_TASK", "observed_end"]

EXIT_CODES: Mapping[str, int] = {
    Reason.NONE: 0,
    Reason.CONDITION_FALSE: 0,
    Reason.SENSOR_WAITING: 0,
    Reason.USER_ERROR: 20,
    Reason.TEST_FAILED: 20,
    Reason.UNSTORABLE: 20,
    Reason.OUT_OF_MEMORY: 20,
    Reason.INPUT_MISSING: 21,
    Reason.CONFIGURATION: 23,
    Reason.CANCELLED: 25,
}
"""Exit code of `python -m jupyter_blocks.worker` for each reason in a report; 1 for all others."""
EXIT_WRONG_TASK = 22
"""The task document is not the one that was meant, or cannot be read."""
EXIT_TAKEN = 24
"""Another process has claimed the attempt."""

_PHASES: Mapping[str, Phase] = {
    "succeeded": Phase.SUCCEEDED,
    "condition_false": Phase.SUCCEEDED,
    "waiting": Phase.SUCCEEDED,
    "failed": Phase.FAILED,
    "cancelled": Phase.CANCELLED,
    "dropped": Phase.CANCELLED,
}
_REASONS: Mapping[str, Reason] = {
    "condition_false": Reason.CONDITION_FALSE,
    "waiting": Reason.SENSOR_WAITING,
    "cancelled": Reason.CANCELLED,
}


def observed_end(attempt_id: str, report: Mapping[str, Any], node: str) -> Observation:
    """What a worker's own report says; one with an unknown status is a `PROTOCOL` failure."""
    status = str(report.get("status"))
    phase = _PHASES.get(status)
    if phase is None:
        detail = f"the worker's report has an unknown status '{status}'"
        return Observation(attempt_id, Phase.FAILED, Reason.PROTOCOL, detail, node=node)
    reason = _REASONS.get(status) or Reason(report.get("reason") or "")
    message = str((report.get("error") or {}).get("message", ""))
    return Observation(attempt_id, phase, reason, message, report, node)
