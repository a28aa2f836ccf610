"""What is special about ECS: what it does late, twice, or not at all. boto3 against the fake."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_blocks.executors.apicalls import ApiCalls, ApiError, Rate
from jupyter_blocks.executors.base import ExecutorContext, JobHandle, Phase, Reason
from jupyter_blocks.executors.ecs.backend import EcsBackend, open_ecs
from jupyter_blocks.executors.jobs import FailureKind
from jupyter_blocks.testing.containers import ContainerHost, Image
from jupyter_blocks.testing.fake_ecs import EcsFault, FakeEcs, fake_ecs
from tests.executors.ecscases import ATTEMPT, IMAGE, ROLE, backend, request, start, wait

SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf"
SLEEPY = "registry.test/sleepy:1"
LINES = "registry.test/lines:1"


def image(folder: Path, script: str) -> Image:
    """An image whose `python` is a few lines of shell."""
    folder.mkdir()
    program = folder / "python"
    program.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    program.chmod(0o755)
    return Image((str(folder), "/usr/bin", "/bin"))


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeEcs]:
    images = {
        IMAGE: image(tmp_path / "good", "exit 0"),
        SLEEPY: image(tmp_path / "sleepy", "exec sleep 600"),
        LINES: image(tmp_path / "lines", "echo one; echo two; echo $PASSWORD > value; exit 3"),
    }
    with fake_ecs(ContainerHost(images)) as served:
        yield served


def running(fake: FakeEcs, attempt: str = ATTEMPT, **settings: Any) -> tuple[EcsBackend, JobHandle]:
    asked, handle = start(fake, attempt, image=SLEEPY, **settings)
    wait(asked, handle, lambda state: state.phase is Phase.RUNNING)
    return asked, handle


# starting


def test_the_same_token_is_the_same_task(fake: FakeEcs) -> None:
    """However often it is asked for, by whichever process."""
    _, first = start(fake)
    _, second = start(fake)
    assert first == second
    assert fake.jobs() == 1


def test_a_conflict_adopts_the_task_that_is_there(fake: FakeEcs) -> None:
    """The settings have changed since; the attempt has its worker already."""
    _, first = start(fake, image=SLEEPY)
    _, second = start(fake, image=SLEEPY, group="another")
    assert first == second
    assert fake.jobs() == 1


def test_task_definitions_are_registered_once(fake: FakeEcs) -> None:
    """By content, for all runs; another image has its own."""
    for number in range(3):
        start(fake, f"{number:026d}")
    assert fake.calls["RegisterTaskDefinition"] == 1
    start(fake, "9" * 26, image=SLEEPY)
    assert fake.calls["RegisterTaskDefinition"] == 2


def test_a_definition_that_was_removed_is_made_again(fake: FakeEcs) -> None:
    """Somebody tidied up while the run was under way."""
    asked, _ = start(fake)
    fake.api.definitions.clear()
    wanted = request({**fake.settings(), "image": IMAGE}, "b" * 26)
    calls = ApiCalls(Rate(100.0), asked.failure, asked.renew)
    calls(lambda: asked.create(wanted, "b" * 26), 30.0)
    assert fake.jobs() == 2


def test_no_capacity_is_told(fake: FakeEcs) -> None:
    """`failures` in the answer are looked at, and another call may do better."""
    fake.api.placements = [{"reason": "RESOURCE:MEMORY"}]
    asked = backend(fake)
    wanted = request({**fake.settings(), "image": IMAGE})
    with pytest.raises(ApiError, match="enough MEMORY") as caught:
        asked.create(wanted, ATTEMPT)
    assert caught.value.failure.kind is FailureKind.NO_CAPACITY
    assert asked.create(wanted, ATTEMPT)["task"]


def test_what_can_never_be_placed_is_not_waited_for(fake: FakeEcs) -> None:
    """A constraint that no machine meets."""
    fake.api.placements = [{"reason": "ATTRIBUTE"}]
    with pytest.raises(ApiError, match="placement constraints") as caught:
        start(fake)
    assert caught.value.failure.kind is FailureKind.INVALID


def test_calls_are_made_once(fake: FakeEcs) -> None:
    """boto3 does not try again behind our back."""
    fake.fail(1, 503, when="create")
    with pytest.raises(Exception, match="ServiceUnavailable"):
        start(fake)
    assert fake.calls["RunTask"] == 1


@pytest.mark.parametrize("done", [False, True])
def test_a_cut_connection_is_no_answer(fake: FakeEcs, done: bool) -> None:
    """Whether it was done is not known; asking again is safe."""
    fake.cut(1, when="create", done=done)
    asked = backend(fake)
    calls = ApiCalls(Rate(100.0), asked.failure, asked.renew)
    wanted = request({**fake.settings(), "image": IMAGE})
    assert calls(lambda: asked.create(wanted, ATTEMPT), 30.0)["task"]
    assert fake.calls["RunTask"] == 2
    assert fake.jobs() == 1


def test_an_expired_token_is_read_anew(fake: FakeEcs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody has logged in again while the run went on."""
    fake.keys = {"fresh"}
    asked = backend(fake)
    wanted = request({**fake.settings(), "image": IMAGE})
    calls = ApiCalls(Rate(100.0), asked.failure, asked.renew)
    with pytest.raises(ApiError) as caught:
        calls(lambda: asked.create(wanted, ATTEMPT), 5.0)
    assert caught.value.failure.kind is FailureKind.CREDENTIALS
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "fresh")
    assert calls(lambda: asked.create(wanted, ATTEMPT), 5.0)["task"]


def test_an_expired_token_is_renewed_once(fake: FakeEcs) -> None:
    """One refusal costs nothing."""
    fake.faults.append(EcsFault("any", "ExpiredTokenException", message="expired"))
    asked = backend(fake)
    wanted = request({**fake.settings(), "image": IMAGE})
    calls = ApiCalls(Rate(100.0), asked.failure, asked.renew)
    assert calls(lambda: asked.create(wanted, ATTEMPT), 5.0)["task"]


def test_a_missing_right_is_told(fake: FakeEcs) -> None:
    """With the statement to add."""
    fake.denied = {"ecs:RunTask"}
    asked = backend(fake)
    wanted = request({**fake.settings(), "image": IMAGE})
    calls = ApiCalls(Rate(100.0), asked.failure, asked.renew)
    with pytest.raises(ApiError, match='"Action": "ecs:RunTask"') as caught:
        calls(lambda: asked.create(wanted, ATTEMPT), 5.0)
    assert caught.value.failure.kind is FailureKind.PERMISSION


# finding and watching


def test_a_task_is_found_before_ecs_shows_it(fake: FakeEcs) -> None:
    """Who has started it knows of it."""
    fake.api.lag_s = 600
    asked, handle = start(fake)
    assert asked.states([handle]) == {}
    assert asked.find([ATTEMPT])[ATTEMPT].job == handle.data["job"]
    assert backend(fake).find([ATTEMPT]) == {}


@pytest.mark.parametrize("others", [0, 30])
def test_stopped_and_running_tasks_are_found(fake: FakeEcs, others: int) -> None:
    """One by one or, where many are asked for, in a list of the cluster; page by page."""
    fake.api.page_size = 1
    asked, over = start(fake, "a" * 26)
    wait(asked, over)
    _, alive = running(fake, "b" * 26)
    start(fake, "c" * 26)
    names = ["a" * 26, "b" * 26, *(f"{number:026d}" for number in range(others))]
    found = backend(fake).find(names)
    assert {name: job.job for name, job in found.items()} == {
        "a" * 26: over.data["job"],
        "b" * 26: alive.data["job"],
    }
    assert found["a" * 26].environment["JUPYTER_BLOCKS_ATTEMPT"] == "a" * 26


def test_states_are_asked_for_a_hundred_at_once(fake: FakeEcs) -> None:
    """250 attempts are three calls."""
    asked, handle = start(fake)
    wait(asked, handle)
    before = fake.calls["DescribeTasks"]
    arn = handle.data["job"]["task"].rpartition("/")[0]
    handles = [
        JobHandle("ecs", f"{n:026d}", {"job": {"cluster": "default", "task": f"{arn}/{n:032d}"}})
        for n in range(249)
    ]
    states = asked.states([*handles, handle])
    assert list(states) == [ATTEMPT]
    assert fake.calls["DescribeTasks"] == before + 3


def test_tasks_are_forgotten_after_their_end(fake: FakeEcs) -> None:
    """Then the store decides: they are left out."""
    fake.api.stopped_ttl_s = 0.2
    asked, handle = start(fake)
    deadline = time.monotonic() + 30
    while fake.task(ATTEMPT).stopped_at is None or asked.states([handle]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert asked.find([ATTEMPT])[ATTEMPT].job == handle.data["job"]


def test_secrets_of_the_platform_reach_the_container(fake: FakeEcs) -> None:
    """The request has their names only; the value is in the environment."""
    fake.api.secrets[SECRET] = "open sesame"
    role = f"{ROLE}/ecsTaskExecutionRole"
    settings = {"container_secrets": {"PASSWORD": SECRET}, "execution_role_arn": role}
    asked, handle = start(fake, image=LINES, **settings)
    assert wait(asked, handle).exit_code == 3
    assert fake.task(ATTEMPT).container.environment["PASSWORD"] == "open sesame"  # type: ignore[union-attr]
    assert not [body for body in fake.requests if "open sesame" in body]


def test_an_unknown_secret_is_a_matter_of_configuration(fake: FakeEcs) -> None:
    """The task does not start; the words say where to look."""
    role = f"{ROLE}/ecsTaskExecutionRole"
    settings = {"container_secrets": {"PASSWORD": SECRET}, "execution_role_arn": role}
    asked, handle = start(fake, **settings)
    state = wait(asked, handle)
    assert (state.phase, state.reason) == (Phase.FAILED, Reason.CONFIGURATION)
    assert SECRET in state.detail
    assert "container_secrets" in state.detail


def test_an_image_without_python_is_told(fake: FakeEcs, tmp_path: Path) -> None:
    """ECS has no exit code then, which is no reason to stumble."""
    (tmp_path / "empty").mkdir()
    fake.host.images["registry.test/empty:1"] = Image((str(tmp_path / "empty"),))
    asked, handle = start(fake, image="registry.test/empty:1")
    state = wait(asked, handle)
    assert (state.reason, state.exit_code) == (Reason.CONFIGURATION, None)
    assert "no Python" in state.detail


# stopping


def test_a_task_that_cannot_be_seen_yet_is_stopped_all_the_same(fake: FakeEcs) -> None:
    """`not found` is no success while the task may only be late."""
    fake.api.lag_s = 1.0
    asked, handle = start(fake, image=SLEEPY)
    with pytest.raises(ApiError, match="not found"):
        asked.stop(handle.data["job"], 1.0)
    calls = ApiCalls(Rate(100.0), asked.failure, asked.renew)
    calls(lambda: asked.stop(handle.data["job"], 1.0), 30.0)
    assert wait(asked, handle).phase is Phase.CANCELLED


def test_a_task_of_long_ago_needs_no_stopping(fake: FakeEcs) -> None:
    """ECS has forgotten it, and whoever asks has not started it."""
    asked, handle = start(fake)
    wait(asked, handle)
    fake.vanish(ATTEMPT)
    other = backend(fake)
    other.stop(handle.data["job"], 1.0)
    assert other.states([handle]) == {}


def test_a_stopped_task_was_cancelled(fake: FakeEcs) -> None:
    """The reason is ours, and so is told from a stop by somebody else."""
    asked, handle = running(fake)
    asked.stop(handle.data["job"], 1.0)
    assert wait(asked, handle).detail == "stopped"


def test_what_a_sidecar_keeps_alive_is_stopped_on_release(fake: FakeEcs) -> None:
    """A task definition of the user's, in which the worker is not essential."""
    container = {"image": IMAGE, "memory": 512}
    fake.api.do_register_task_definition(
        {
            "family": "two",
            "networkMode": "awsvpc",
            "cpu": "512",
            "memory": "1024",
            "requiresCompatibilities": ["FARGATE"],
            "containerDefinitions": [
                {**container, "name": "proxy", "image": "proxy"},
                {**container, "name": "worker", "essential": False},
            ],
        }
    )
    settings = {"image": "", "task_definition": "two", "container_name": "worker"}
    asked, handle = start(fake, **settings)
    state = wait(asked, handle)
    assert (state.phase, state.exit_code) == (Phase.SUCCEEDED, 0)
    assert fake.task(ATTEMPT).desired_status == "RUNNING"
    asked.delete(handle.data["job"])
    assert fake.task(ATTEMPT).desired_status == "STOPPED"


def test_release_asks_for_nothing_else(fake: FakeEcs) -> None:
    """ECS forgets tasks by itself."""
    asked, handle = start(fake)
    wait(asked, handle, lambda state: fake.task(ATTEMPT).stopped_at is not None)
    asked._lingering.clear()
    asked.delete(handle.data["job"])
    assert fake.calls["StopTask"] == 0


# words of the container


def test_last_lines_come_from_cloudwatch(fake: FakeEcs) -> None:
    """Where the task definition sends them there."""
    logs = {
        "logDriver": "awslogs",
        "options": {
            "awslogs-group": "/blocks",
            "awslogs-region": "us-east-1",
            "awslogs-stream-prefix": "run",
        },
    }
    role = f"{ROLE}/ecsTaskExecutionRole"
    asked, handle = start(fake, image=LINES, log_configuration=logs, execution_role_arn=role)
    wait(asked, handle)
    assert asked.tail(handle.data["job"]) == ["one", "two"]


def test_no_lines_without_cloudwatch(fake: FakeEcs) -> None:
    """Nothing is asked for that is not there."""
    asked, handle = start(fake, image=LINES)
    wait(asked, handle)
    assert asked.tail(handle.data["job"]) == []
    assert fake.calls["GetLogEvents"] == 0


# looking before a run


def bad(fake: FakeEcs, **settings: Any) -> list[str]:
    """What is found wrong."""
    found = backend(fake, **settings).diagnose()
    return [f"{item.what}: {item.detail} {item.hint}".strip() for item in found if not item.is_good]


def test_a_good_account_has_nothing_wrong(fake: FakeEcs) -> None:
    """And it is said what cannot be known."""
    found = backend(fake).diagnose()
    assert [item.what for item in found if not item.is_good] == []
    assert "user/tester" in found[0].detail
    assert any("cannot be known" in item.detail for item in found)


def test_diagnosis_changes_nothing(fake: FakeEcs) -> None:
    """Only looked at."""
    fake.api.simulated = set()
    backend(fake).diagnose()
    assert set(fake.calls) == {
        "GetCallerIdentity",
        "DescribeClusters",
        "ListTasks",
        "SimulatePrincipalPolicy",
    }


def test_missing_rights_are_found(fake: FakeEcs) -> None:
    """IAM is asked for each, with the resource."""
    fake.api.simulated = {"ecs:DescribeTasks", "ecs:StopTask", "ecs:TagResource"}
    found = " ".join(bad(fake, task_role_arn=f"{ROLE}/blocks"))
    for action in ("ecs:RunTask", "ecs:RegisterTaskDefinition", "iam:PassRole"):
        assert f"Allow {action} on" in found
    assert "ecs:StopTask" not in found


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"cluster": "other"}, "the cluster 'other' is not there"),
        ({"subnets": []}, "tasks on Fargate need subnets"),
        ({"image": ""}, "image: there is none"),
        (
            {"capacity_provider_strategy": [{"capacityProvider": "mine"}]},
            "no capacity provider 'mine'",
        ),
        ({"image": "", "task_definition": "mine"}, "Unable to describe task definition"),
        (
            {"image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/blocks:2"},
            "The image blocks:2 does not exist",
        ),
    ],
)
def test_wrong_settings_are_found(fake: FakeEcs, settings: dict[str, Any], words: str) -> None:
    """With what to do."""
    assert words in " ".join(bad(fake, **settings))


def test_a_cluster_without_machines_is_found(fake: FakeEcs) -> None:
    """Tasks for EC2 would wait there for ever."""
    fake.api.clusters["default"] = {"capacityProviders": []}
    assert bad(fake, launch_type="EC2")[0].startswith("machines: the cluster has no machines")


def test_a_container_of_another_name_is_found(fake: FakeEcs) -> None:
    """The names it could be are listed."""
    start(fake)
    (family,) = fake.api.definitions
    found = bad(fake, image="", task_definition=family, container_name="worker")
    assert found[0].endswith("Set 'container_name' to one of: blocks.")


def test_unknown_credentials_are_all_that_is_said(fake: FakeEcs) -> None:
    """Nothing else can be looked at."""
    fake.keys = {"other"}
    (found,) = bad(fake)
    assert "Log in again" in found


def test_an_image_in_ecr_is_found(fake: FakeEcs) -> None:
    """By repository and tag."""
    fake.api.images.add("blocks:1")
    name = "123456789012.dkr.ecr.us-east-1.amazonaws.com/blocks:1"
    found = [item for item in backend(fake, image=name).diagnose() if item.what == "image"]
    assert [(item.is_good, item.detail) for item in found] == [(True, name)]


def test_a_platform_that_cannot_be_reached_is_told(fake: FakeEcs) -> None:
    """As an address, not as a traceback."""
    (found,) = bad(fake, endpoint_url="http://127.0.0.1:9")
    assert "http://127.0.0.1:9" in found


# opening


def test_opening_asks_nobody(fake: FakeEcs) -> None:
    """The SDK is loaded and the platform asked when there is something to ask."""
    executor = open_ecs(ExecutorContext("/nowhere", {**fake.settings(), "image": IMAGE}))
    executor.close()
    assert not fake.calls
