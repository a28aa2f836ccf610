"""What a platform that runs containers has to supply, so that blocks run there as anywhere.

A backend answers a few questions about single jobs: the request for a task, the jobs that exist,
the state of each, what an error of the platform means. Code, inputs, retries of calls, and the
verdict about an attempt are `remote.RemoteExecutor`'s business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from jupyter_blocks.errors import ExecutorError, Problem
from jupyter_blocks.executors.base import BlockTask, JobHandle, Phase, Reason

__all__ = [
    "ApiFailure",
    "Backend",
    "Diagnoses",
    "FailureKind",
    "Finding",
    "FoundJob",
    "JobState",
    "SubmitError",
    "WorkerCommand",
]


@dataclass(frozen=True)
class WorkerCommand:
    """What a container has to run. The same for every backend."""

    words: tuple[str, ...]
    environment: Mapping[str, str]
    """Three values: where the task is, its digest, the attempt's id. No secret among them."""


@dataclass(frozen=True)
class JobState:
    """What a platform says about one job."""

    phase: Phase
    """`SUCCEEDED` only means that the container ended with 0; the outputs are looked for then."""
    reason: Reason = Reason.NONE
    """`NO_CAPACITY` where it is pending: others have what it waits for."""
    detail: str = ""
    """For people: what happened and what to do."""
    exit_code: int | None = None
    """Of the worker's container, where it has ended and the platform knows."""
    node: str = ""
    """Where it runs, as the platform names it: a pod, a task, an execution."""


@dataclass(frozen=True)
class FoundJob:
    """A job that exists at the platform."""

    job: Mapping[str, Any]
    """What `create` returned for it."""
    environment: Mapping[str, str]
    """The three values its worker was started with (`WorkerCommand.environment`)."""


class FailureKind(StrEnum):
    """What an error that a platform's API answered with means for the caller."""

    THROTTLED = "throttled"
    """Too many calls: ask again, slower."""
    UNAVAILABLE = "unavailable"
    """A timeout, a lost connection, an error of the server: whether it was done is not known."""
    NO_CAPACITY = "no_capacity"
    """The platform has no machine for it at present, and has started nothing."""
    CREDENTIALS = "credentials"
    """Who asks is not known, or is not any more: credentials are missing or have expired."""
    PERMISSION = "permission"
    """Who asks is known and may not do this."""
    NOT_FOUND = "not_found"
    INVALID = "invalid"
    """The request makes no sense to the platform; asking again changes nothing."""


@dataclass(frozen=True)
class ApiFailure:
    """An error of a platform's API, understood."""

    kind: FailureKind
    detail: str
    """For people: what was asked, what the platform answered, what to do."""
    retry_after_s: float | None = None
    """How long the platform wants to be left alone."""


class SubmitError(ExecutorError):
    """An attempt could not be started; `reason` says which budget another try is taken from."""

    def __init__(self, message: str, reason: Reason, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at before a run (`jupyter blocks executors NAME --check`)."""

    what: str
    """What was looked at, such as `permission to create jobs`."""
    is_good: bool
    detail: str = ""
    hint: str = ""
    """What to do where it is not good, as one sentence."""


@runtime_checkable
class Diagnoses(Protocol):
    """An executor that can say what is wrong before a run."""

    def diagnose(self) -> list[Finding]:
        """Look at credentials, permissions and settings, changing nothing."""


class Backend(Protocol):
    """One platform. Every method may raise; `failure` says what that means.

    Methods are called by several threads at once. The `executor_config` of the tasks they are given
    holds all settings: the project's, and over them the block's own.
    """

    name: str
    """The executor's name."""
    poll_interval_s: float
    """How often `states` is worth calling."""
    calls_per_s: float
    """Rate of calls the platform takes without complaint; lowered when it complains."""
    settle_s: float
    """How long after `create` a job may be invisible and yet exist."""

    def request(self, task: BlockTask, command: WorkerCommand) -> dict[str, Any]:
        """What `create` sends for a task, as JSON: pure, and free of secrets."""

    def check(self, task: BlockTask, request: Mapping[str, Any]) -> list[Problem]:
        """What is wrong with a request before it is sent: names, sizes, settings. Asks nobody."""

    def create(self, request: Mapping[str, Any], attempt_id: str) -> dict[str, Any]:
        """Start the job, once for one attempt however often; what names it, as JSON."""

    def find(self, attempt_ids: Sequence[str]) -> dict[str, FoundJob]:
        """The jobs of these attempts that exist, by attempt id."""

    def states(self, handles: Sequence[JobHandle]) -> dict[str, JobState]:
        """Attempt id -> state; jobs the platform does not know (any more) are left out."""

    def stop(self, job: Mapping[str, Any], grace_s: float) -> None:
        """End a job, with `grace_s` seconds to end by itself; one that is gone is fine."""

    def delete(self, job: Mapping[str, Any]) -> None:
        """Remove what is left of a job that has ended; one that is gone is fine."""

    def tail(self, job: Mapping[str, Any]) -> list[str]:
        """The last lines its container wrote, as far as the platform holds them."""

    def failure(self, error: Exception) -> ApiFailure:
        """What an error raised by any method means."""

    def renew(self) -> None:
        """Make a new client, with credentials read anew."""

    def diagnose(self) -> list[Finding]:
        """Look at credentials, permissions and settings at the platform, changing nothing."""
