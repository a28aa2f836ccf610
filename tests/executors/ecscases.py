"""Settings, tasks and backends for the tests of ECS."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from jupyter_blocks.executors.base import BlockTask, JobHandle
from jupyter_blocks.executors.ecs.backend import EcsBackend
from jupyter_blocks.executors.ecs.clients import AwsClients, open_client
from jupyter_blocks.executors.ecs.request import ecs_request
from jupyter_blocks.executors.ecs.settings import EcsSettings
from jupyter_blocks.executors.jobs import JobState, WorkerCommand
from jupyter_blocks.testing.fake_ecs import FakeEcs

IMAGE = "registry.test/blocks:1"
NETWORK = {"subnets": ["subnet-0123456789abcdef0"], "security_groups": ["sg-0123456789abcdef0"]}
ATTEMPT = "0123456789abcdef0123456789"[:26]
ROLE = "arn:aws:iam::123456789012:role"


def task(attempt: str = ATTEMPT, **changes: Any) -> BlockTask:
    """A task as a backend gets it."""
    fields: dict[str, Any] = {
        "run_id": "20300101-000000-abcd",
        "pipeline": "flights",
        "block": "load_flights",
        "type": "data_loader",
        "attempt_id": attempt,
        "attempt": 1,
        "project": "",
        "working_dir": ".",
        "file": "data_loaders/load_flights.py",
        "variables": "s3://bucket/flights",
        "prefix": f"runs/20300101-000000-abcd/load_flights/attempts/{attempt}",
    }
    return BlockTask(**{**fields, **changes})


def command(attempt: str = ATTEMPT, uri: str = "s3://bucket/flights/task.json") -> WorkerCommand:
    """What a container has to run."""
    return WorkerCommand(
        ("python", "-m", "jupyter_blocks.worker"),
        {
            "JUPYTER_BLOCKS_TASK": uri,
            "JUPYTER_BLOCKS_TASK_SHA256": "ab" * 32,
            "JUPYTER_BLOCKS_ATTEMPT": attempt,
        },
    )


def request(
    section: Mapping[str, Any], attempt: str = ATTEMPT, uri: str = "", **changes: Any
) -> dict[str, Any]:
    """The request for a task with these settings."""
    worker = command(attempt, uri) if uri else command(attempt)
    return ecs_request(task(attempt, **changes), worker, EcsSettings.read(section))


def backend(fake: FakeEcs, **settings: Any) -> EcsBackend:
    """A backend for a fake."""
    section = {**fake.settings(), "image": IMAGE, **settings}
    return EcsBackend(section, AwsClients(EcsSettings.read(section), open_client))


def start(fake: FakeEcs, attempt: str = ATTEMPT, **settings: Any) -> tuple[EcsBackend, JobHandle]:
    """Start one task, and how it is asked for."""
    asked = backend(fake, **settings)
    job = asked.create(request({**fake.settings(), "image": IMAGE, **settings}, attempt), attempt)
    return asked, JobHandle("ecs", attempt, {"job": job})


def wait(
    asked: EcsBackend,
    handle: JobHandle,
    until: Callable[[JobState], bool] = lambda state: state.phase.is_final,
) -> JobState:
    """Ask for the state of a task until something holds of it."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        state = asked.states([handle]).get(handle.attempt_id)
        if state is not None and until(state):
            return state
        time.sleep(0.05)
    raise AssertionError(f"nothing happened to {handle}")
