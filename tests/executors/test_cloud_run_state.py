"""From what Cloud Run says of a job to a state of ours."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_blocks.executors.base import Phase, Reason
from jupyter_blocks.executors.cloud_run.client import parsed
from jupyter_blocks.executors.cloud_run.state import execution_of, job_state, needs_details

NAME = "projects/p/locations/r/jobs/jb-1"
EXECUTION = f"{NAME}/executions/jb-1-run"


def job(status: str = "", **fields: Any) -> dict[str, Any]:
    reference = {"name": EXECUTION}
    if status:
        reference["completionStatus"] = status
    return {"name": NAME, "latestCreatedExecution": reference, **fields}


def refused(reason: str, message: str) -> dict[str, Any]:
    condition = {"type": "Ready", "state": "CONDITION_FAILED", "message": message}
    if reason:
        condition["reason"] = reason
    return {"name": NAME, "terminalCondition": condition}


def execution(message: str = "", **reason: str) -> dict[str, Any]:
    state = "CONDITION_FAILED"
    return {
        "name": EXECUTION,
        "conditions": [{"type": "Completed", "state": state, "message": message, **reason}],
        "template": {
            "timeout": "600s",
            "containers": [{"image": "i", "resources": {"limits": {"memory": "1024Mi"}}}],
        },
    }


def pending(name: str, message: str) -> dict[str, Any]:
    waiting = {"type": name, "state": "CONDITION_RECONCILING", "message": message}
    return {"name": EXECUTION, "conditions": [waiting]}


def ended(message: str = "", code: int = 0, **result: int) -> dict[str, Any]:
    status: dict[str, Any] = {"message": message, "code": code}
    return {"lastAttemptResult": {"status": {k: v for k, v in status.items() if v}, **result}}


FAILED = "EXECUTION_FAILED"
SIGNAL = "Container terminated on signal 9."

TABLE: list[tuple[str, Any, Any, Any, Phase, Reason, int | None, str]] = [
    ("just made", {"name": NAME}, {}, {}, Phase.PENDING, Reason.NONE, None, ""),
    (
        "waits for resources",
        job("EXECUTION_PENDING"),
        pending("ResourcesAvailable", "Waiting for GPUs."),
        {},
        Phase.PENDING,
        Reason.NO_CAPACITY,
        None,
        "Waiting for GPUs.",
    ),
    ("runs", job("EXECUTION_RUNNING"), {}, {}, Phase.RUNNING, Reason.NONE, None, ""),
    ("ended well", job("EXECUTION_SUCCEEDED"), {}, {}, Phase.SUCCEEDED, Reason.NONE, 0, ""),
    (
        "cancelled",
        job("EXECUTION_CANCELLED"),
        {},
        {},
        Phase.CANCELLED,
        Reason.CANCELLED,
        None,
        "cancelled",
    ),
    (
        "exit code",
        job(FAILED),
        execution("Task failed.", executionReason="NON_ZERO_EXIT_CODE"),
        ended("The container exited with an error.", exitCode=23),
        Phase.FAILED,
        Reason.NONE,
        23,
        "",
    ),
    (
        "killed",
        job(FAILED),
        execution(SIGNAL),
        ended(SIGNAL, termSignal=9),
        Phase.FAILED,
        Reason.NONE,
        137,
        "",
    ),
    (
        "killed, told to an SDK that knows no signals",
        job(FAILED),
        execution(SIGNAL),
        ended(SIGNAL, 9),
        Phase.FAILED,
        Reason.NONE,
        None,
        "signal 9",
    ),
    (
        "out of memory, as its status says",
        job(FAILED),
        execution("Task failed with exit code: 0"),
        ended("The configured memory limit was reached.", 8),
        Phase.FAILED,
        Reason.OUT_OF_MEMORY,
        None,
        "its 1024Mi of memory: raise 'memory_mib'",
    ),
    (
        "out of memory, as its condition says",
        job(FAILED),
        execution("Memory limit of 1024 MiB exceeded with 1100 MiB used."),
        {},
        Phase.FAILED,
        Reason.OUT_OF_MEMORY,
        None,
        "1024Mi",
    ),
    (
        "too long",
        job(FAILED),
        execution("Task failed: The configured timeout was reached."),
        ended("The configured timeout was reached.", 4, exitCode=1),
        Phase.FAILED,
        Reason.TIMEOUT,
        None,
        "longer than its 600s: raise 'timeout_s'",
    ),
    (
        "the machine was lost",
        job(FAILED),
        execution("Internal error.", reason="INTERNAL"),
        ended("Internal error.", 13),
        Phase.LOST,
        Reason.INFRASTRUCTURE,
        None,
        "Cloud Run lost it",
    ),
    (
        "somebody deleted the execution",
        job(FAILED),
        execution(executionReason="DELETED"),
        {},
        Phase.LOST,
        Reason.INFRASTRUCTURE,
        None,
        "deleted",
    ),
    (
        "cancelled, told by the condition",
        job(FAILED),
        execution(executionReason="CANCELLED"),
        {},
        Phase.CANCELLED,
        Reason.CANCELLED,
        None,
        "cancelled",
    ),
    (
        "never started",
        job(FAILED),
        execution("It took too long.", reason="PROGRESS_DEADLINE_EXCEEDED"),
        {},
        Phase.FAILED,
        Reason.START_FAILED,
        None,
        "It took too long.",
    ),
    (
        "no image",
        refused("CONTAINER_MISSING", "Image 'i' not found."),
        {},
        {},
        Phase.FAILED,
        Reason.CONFIGURATION,
        None,
        "Image 'i' not found: push the image",
    ),
    (
        "no image, told by the execution",
        job(FAILED),
        execution("Image 'i' not found.", reason="CONTAINER_MISSING"),
        {},
        Phase.FAILED,
        Reason.CONFIGURATION,
        None,
        "push the image",
    ),
    (
        "no image, told without a reason",
        job(FAILED),
        execution("Image 'i' not found."),
        {},
        Phase.FAILED,
        Reason.CONFIGURATION,
        None,
        "Image 'i' not found",
    ),
    (
        "the service agent may not read the image",
        refused("CONTAINER_PERMISSION_DENIED", "must have permission to read the image."),
        {},
        {},
        Phase.FAILED,
        Reason.CONFIGURATION,
        None,
        "roles/artifactregistry.reader",
    ),
    (
        "no secret",
        refused("SECRETS_ACCESS_CHECK_FAILED", "Secret db was not found."),
        {},
        {},
        Phase.FAILED,
        Reason.CONFIGURATION,
        None,
        "roles/secretmanager.secretAccessor",
    ),
    (
        "refused while its execution waits",
        {**job("EXECUTION_PENDING"), **refused("CONTAINER_MISSING", "Image 'i' not found.")},
        {},
        {},
        Phase.FAILED,
        Reason.CONFIGURATION,
        None,
        "push the image",
    ),
    (
        "exit code, where tasks may not be read",
        job(FAILED),
        execution("Task t failed with exit code: 23 and message: The container exited."),
        {},
        Phase.FAILED,
        Reason.NONE,
        23,
        "",
    ),
    (
        "quota",
        refused("", "Quota exceeded for total allowable CPU per project per region."),
        {},
        {},
        Phase.FAILED,
        Reason.NO_CAPACITY,
        None,
        "Quota exceeded",
    ),
    (
        "trouble of Google's while it was made",
        refused("INTERNAL", "An internal error occurred."),
        {},
        {},
        Phase.LOST,
        Reason.INFRASTRUCTURE,
        None,
        "internal error",
    ),
    (
        "no status yet, and it runs",
        job(),
        {"name": EXECUTION, "runningCount": 1},
        {},
        Phase.RUNNING,
        Reason.NONE,
        None,
        "",
    ),
    ("no status yet", job(), {"name": EXECUTION}, {}, Phase.PENDING, Reason.NONE, None, ""),
    (
        "no status, and it ended well",
        job(),
        {"conditions": [{"type": "Completed", "state": "CONDITION_SUCCEEDED"}]},
        {},
        Phase.SUCCEEDED,
        Reason.NONE,
        0,
        "",
    ),
]


@pytest.mark.parametrize(
    ("answer", "about", "task", "phase", "reason", "exit_code", "words"),
    [row[1:] for row in TABLE],
    ids=[row[0] for row in TABLE],
)
def test_states(
    answer: dict[str, Any],
    about: dict[str, Any],
    task: dict[str, Any],
    phase: Phase,
    reason: Reason,
    exit_code: int | None,
    words: str,
) -> None:
    """Each answer of the API means one thing."""
    state = job_state(answer, about, task)
    assert (state.phase, state.reason, state.exit_code) == (phase, reason, exit_code)
    assert words in state.detail


@pytest.mark.parametrize("name", ["jb-1-run", EXECUTION])
def test_the_name_of_an_execution(name: str) -> None:
    """Short or full, it leads to the execution."""
    answer = {"name": NAME, "latestCreatedExecution": {"name": name}}
    assert execution_of(answer) == EXECUTION
    assert job_state(answer).node == "jb-1-run"


def test_the_rows_are_answers_of_the_api() -> None:
    """The type of the API reads them, so that no row is of our own making."""
    for name, answer, about, task, *_ in TABLE:
        parsed("Job", answer)
        parsed("Execution", about)
        if name != "killed":  # the oldest SDK knows no signals
            parsed("Task", task)


@pytest.mark.parametrize(
    ("status", "details"),
    [
        ("EXECUTION_RUNNING", (False, False)),
        ("EXECUTION_SUCCEEDED", (False, False)),
        ("EXECUTION_PENDING", (True, False)),
        ("EXECUTION_CANCELLED", (False, False)),
        ("EXECUTION_FAILED", (True, True)),
        ("", (True, True)),
    ],
)
def test_more_is_asked_only_where_it_helps(status: str, details: tuple[bool, bool]) -> None:
    """A block that runs costs one call a look."""
    assert needs_details(job(status)) == details
