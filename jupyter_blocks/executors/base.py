"""The contract every executor keeps: what it is given, what it answers, what it may not do.

An executor is small, synchronous and level-triggered: it submits, finds, observes and cancels
single attempts and reports what it sees. It records nothing, retries nothing and decides nothing;
the runner owns state, retries and timeouts. Handles and tasks are plain JSON, so that another
process can carry on after a crash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from jupyter_blocks.errors import Problem
from jupyter_blocks.frozen import made

__all__ = [
    "TASK_VERSION",
    "BlockTask",
    "CallMode",
    "CodeRef",
    "Executor",
    "ExecutorContext",
    "InputRef",
    "JobHandle",
    "Observation",
    "Phase",
    "Reason",
    "StoredManifest",
    "TakesLines",
    "attempt_id",
]

TASK_VERSION = 1


def attempt_id(project_id: str, run_id: str, block: str, number: int) -> str:
    """Name of one attempt: 26 letters and digits, the same wherever and whenever it is computed."""
    text = "\0".join((project_id, run_id, block, str(number)))
    return hashlib.sha256(text.encode()).hexdigest()[:26]


class CallMode(StrEnum):
    """How the worker calls the function of a block."""

    POSITIONAL = "positional"
    """As Mage does: one positional argument per upstream block."""
    NAMED = "named"
    """As export wrote it: each argument by name (`block.Binding`)."""


class StoredManifest(Protocol):
    """What a reference needs of a manifest (`variables.manifest.Manifest`)."""

    @property
    def block(self) -> str:
        """Block that stored it."""

    @property
    def run_id(self) -> str:
        """Run that stored it."""

    @property
    def attempt_id(self) -> str:
        """Attempt that stored it."""

    @property
    def digest(self) -> str:
        """sha256 of its file, in hex."""

    @property
    def content(self) -> str:
        """Digest of the values, in hex."""


@dataclass(frozen=True)
class InputRef:
    """One upstream block of a task, and the stored outputs to read for it."""

    block: str
    run_id: str = ""
    """Run that stored them; empty when the block stored nothing (a sensor, a skipped block)."""
    attempt_id: str = ""
    digest: str = ""
    """sha256 of the manifest, in hex; empty while the attempt is under way on the same worker."""
    content: str = ""
    """Digest of the stored values; the same whenever the same values are stored again."""

    @classmethod
    def to(cls, manifest: StoredManifest) -> InputRef:
        """How a task names stored outputs."""
        return cls(
            manifest.block,
            manifest.run_id,
            manifest.attempt_id,
            manifest.digest,
            manifest.content,
        )

    @property
    def is_open(self) -> bool:
        """Whether the attempt it names is still under way (`Executor.hand_over`)."""
        return bool(self.attempt_id) and not self.digest


@dataclass(frozen=True)
class CodeRef:
    """The code of a project for a worker that cannot see the project's folder."""

    sha256: str
    """Digest of the code (`bundle.Bundle.sha256`)."""
    key: str = ""
    """Key of the bundle in the variable store; empty where the worker has the code already."""
    folder: str = ""
    """Absolute folder of the project in the worker's image."""


@dataclass(frozen=True)
class BlockTask:
    """All that a worker needs to run one attempt of one block. JSON values only."""

    run_id: str
    pipeline: str
    block: str
    type: str
    attempt_id: str
    attempt: int
    """Number of the attempt, from 1."""
    project: str
    """Absolute folder of the project, on the machine that runs the task; with `code`: empty."""
    working_dir: str
    """Absolute folder the block runs in; with `code`: relative to the project."""
    file: str
    """Block file, relative to the project; empty where `content` holds the text."""
    content: str | None = None
    call: CallMode = CallMode.POSITIONAL
    upstream: tuple[InputRef, ...] = ()
    """In the order of `upstream_blocks`."""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """`named` calls: argument -> `block.output`."""
    outputs: tuple[str, ...] = ()
    """`named` calls: names of the outputs (see `block.Binding.outputs`)."""
    unread: tuple[str, ...] = ()
    """Outputs that no block of the pipeline reads: they need not be storable."""
    shared: tuple[str, ...] = ()
    """Outputs that several blocks read, so that none of them may use them up."""
    used_parameters: tuple[str, ...] = ()
    """`named` calls: the parameters the block takes."""
    random_streams: str | None = None
    """Upstream block whose random streams it goes on with (see `block.Binding`)."""
    together: tuple[str, ...] = ()
    """Outputs that may share objects (see `block.Binding`)."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """All runtime variables of the run: Mage's `kwargs`."""
    configuration: Mapping[str, Any] = field(default_factory=dict)
    execution_date: str = ""
    """ISO 8601 time of the run, in UTC."""
    env: str = "dev"
    variables: str = ""
    """Root of the variable store (a folder or a URI)."""
    prefix: str = ""
    """Key prefix of this attempt in the variable store."""
    fingerprint: Mapping[str, Any] = field(default_factory=dict)
    """What the outputs depend on (`freshness`); stored with them."""
    run_tests: bool = True
    conditions: tuple[str, ...] = ()
    callbacks: tuple[str, ...] = ()
    is_last_attempt: bool = True
    """Whether a failure the user's retries are for (`Reason.is_retried`) ends the block."""
    timeout_s: float | None = None
    resources: Mapping[str, Any] = field(default_factory=dict)
    executor_config: Mapping[str, Any] = field(default_factory=dict)
    """Settings only the executor understands; the worker ignores them."""
    keep: bool = False
    """Whether a later block of this run reads the outputs, so that keeping them in memory pays."""
    code: CodeRef | None = None
    """Set for workers on other machines."""
    python: str = ""
    """Version of Python the run was started with, such as `3.12`; with `code` only."""
    packages: Mapping[str, str] = field(default_factory=dict)
    """Distribution -> version the blocks import, where the run was started; with `code` only."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Environment variables for the block; no secrets."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Environment variable -> reference to a secret (`secretrefs`)."""
    heartbeat_s: float = 15.0
    """How often a worker on another machine says that it is alive."""
    version: int = TASK_VERSION

    def as_json(self) -> dict[str, Any]:
        """The task as a JSON document."""
        document = {**vars(self), "upstream": [vars(reference) for reference in self.upstream]}
        if self.code is not None:
            document["code"] = vars(self.code)
        return document

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> BlockTask:
        """Read what `as_json` wrote; an unknown version or field is a `ValueError`."""
        if data.get("version") != TASK_VERSION:
            raise ValueError(
                f"task version {data.get('version')!r}, this worker reads {TASK_VERSION}"
            )
        if not data.keys() <= cls.__dataclass_fields__.keys():
            unknown = sorted(data.keys() - cls.__dataclass_fields__.keys())
            raise ValueError(f"task with unknown fields: {', '.join(unknown)}")
        values = dict(data)
        values["call"] = CallMode(values.get("call", CallMode.POSITIONAL))
        values["upstream"] = tuple(InputRef(**ref) for ref in values.get("upstream", ()))
        values["code"] = CodeRef(**values["code"]) if values.get("code") else None
        tuples = ("outputs", "unread", "shared", "together", "used_parameters")
        for name in (*tuples, "conditions", "callbacks"):
            values[name] = tuple(values.get(name, ()))
        is_whole = len(values) == len(cls.__dataclass_fields__)
        return made(cls, values) if is_whole else cls(**values)


@dataclass(frozen=True)
class JobHandle:
    """What an executor needs to find one submitted attempt again, in any process."""

    executor: str
    attempt_id: str
    data: Mapping[str, Any] = field(default_factory=dict)
    """Plain JSON of the executor's own."""


class Phase(StrEnum):
    """Where an attempt is, as its backend says."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    """The work ended well. The runner still wants the manifest."""
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    LOST = "LOST"
    """The machine or the process is gone and nobody will report any more."""
    UNKNOWN = "UNKNOWN"
    """The backend does not answer; never an end."""

    @property
    def is_final(self) -> bool:
        """Whether the attempt has ended."""
        return self not in (Phase.PENDING, Phase.RUNNING, Phase.UNKNOWN)


class Reason(StrEnum):
    """Why an attempt ended as it did; it decides which budget a retry is taken from."""

    NONE = ""
    USER_ERROR = "user_error"
    TEST_FAILED = "test_failed"
    CONDITION_FALSE = "condition_false"
    SENSOR_WAITING = "sensor_waiting"
    """A sensor said no; it is polled again, which is not a retry."""
    INPUT_MISSING = "input_missing"
    CONFIGURATION = "configuration"
    """Bad settings or a bad block file; never retried."""
    UNSTORABLE = "unstorable"
    OUT_OF_MEMORY = "out_of_memory"
    TIMEOUT = "timeout"
    CRASHED = "crashed"
    """The process died of a signal or left without a word."""
    INFRASTRUCTURE = "infrastructure"
    """Node gone, spot lost, evicted: retried from a budget of its own."""
    START_FAILED = "start_failed"
    START_TIMEOUT = "start_timeout"
    """It was not started for as long as was to be waited; never retried."""
    NO_CAPACITY = "no_capacity"
    """Nothing has room for it at present: tried again, later, at no cost."""
    THROTTLED = "throttled"
    """The platform wants fewer calls, or does not answer: tried again soon, at no cost."""
    CANCELLED = "cancelled"
    PROTOCOL = "protocol"
    """Success was claimed without a valid manifest."""
    DROPPED = "dropped"
    """It was handed over behind an attempt that did not end well, and counts as never begun."""

    @property
    def is_retried(self) -> bool:
        """Whether it is tried again as often as the block's `retry_config` says."""
        return self in _RETRIED


_RETRIED = frozenset({Reason.USER_ERROR, Reason.TEST_FAILED, Reason.TIMEOUT, Reason.CRASHED})


@dataclass(frozen=True)
class Observation:
    """What is known about one attempt now."""

    attempt_id: str
    phase: Phase
    reason: Reason = Reason.NONE
    detail: str = ""
    """One or a few sentences for people: what happened and what to do."""
    result: Mapping[str, Any] | None = None
    """The worker's report (`worker.run_task`), where the backend brings it along."""
    node: str = ""
    """Where it runs: a process id, a pod, a task."""


@dataclass(frozen=True)
class ExecutorContext:
    """What an executor is given when it is opened for a run."""

    project: str
    """Absolute folder of the project."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The project's section for this executor, such as `k8s_executor_config`."""
    max_workers: int | None = None
    preload: Sequence[str] = ()
    """Modules the blocks import; worth importing before the first block is due."""
    modules: Mapping[str, Collection[str]] = field(default_factory=dict)
    """Block -> full names of the modules that it and its helpers import."""
    notify: Callable[[], None] = lambda: None
    """Wakes the runner; to be called from any thread when something may have changed."""


class TakesLines(Protocol):
    """An executor whose workers can be given the next attempt before the present one has ended."""

    def hand_over(self, task: BlockTask, behind: str) -> JobHandle | None:
        """Have the worker of the attempt `behind` go on with a task that reads its outputs.

        None where that worker takes no more, or is not there: the task can be submitted later. If
        the attempt in front does not end well, it is never begun, or counts as never begun
        (`Reason.DROPPED`). Its end is not told before that of the attempts in front.
        """


class Executor(Protocol):
    """A backend that can run one block attempt.

    Every method may raise; the runner turns what it raises into `UNKNOWN` (observe) or into a start
    failure (submit; an attribute `reason` of the exception says which), and never calls two methods
    of one executor at the same time, unless it has an attribute `concurrent_calls` with the number
    of threads it is ready for.
    """

    name: str
    poll_interval_s: float
    """How often `observe` is worth calling when nobody called `notify`."""
    outlives_dispatcher: bool
    """Whether attempts go on when the dispatcher dies; only then is intent made durable first."""
    answers_at_once: bool
    """Whether every method returns within milliseconds, so that the runner may call it inline."""

    def check(self, task: BlockTask) -> list[Problem]:
        """Preflight without side effects: names, sizes, missing settings, credentials."""

    def job_request(self, task: BlockTask) -> Mapping[str, Any]:
        """What `submit` would send; pure, secrets redacted."""

    def capacity(self) -> int | None:
        """How many attempts may be submitted at once; none: no limit of its own."""

    def submit(self, task: BlockTask) -> JobHandle:
        """Start the attempt; doing so twice with one attempt id starts it once."""

    def find(self, attempt_ids: Sequence[str]) -> list[JobHandle]:
        """Attempts that exist at the backend, for a dispatcher that restarts; creates none."""

    def observe(self, handles: Sequence[JobHandle]) -> list[Observation]:
        """What is known of each; a bad item becomes `UNKNOWN` and never hides the others."""

    def cancel(self, handle: JobHandle, grace_s: float) -> None:
        """Stop the attempt, killing it after `grace_s` seconds; repeated or too late: nothing."""

    def logs(self, handle: JobHandle, cursor: str) -> tuple[list[str], str]:
        """Lines the backend holds since `cursor`, and the next cursor; only a fallback."""

    def release(self, handle: JobHandle) -> None:
        """Forget the attempt, after its result has been recorded."""

    def close(self) -> None:
        """Let go of everything; attempts that do not outlive the dispatcher end here."""
