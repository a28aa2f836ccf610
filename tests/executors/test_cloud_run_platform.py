"""What only Cloud Run does: the real SDK against the fake, without a worker or a store."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from jupyter_blocks.errors import ExecutorError
from jupyter_blocks.executors.apicalls import ApiCalls, ApiError, Rate
from jupyter_blocks.executors.base import BlockTask, ExecutorContext, JobHandle, Phase, Reason
from jupyter_blocks.executors.cloud_run.backend import CloudRunBackend, open_cloud_run
from jupyter_blocks.executors.cloud_run.client import CloudRunClient
from jupyter_blocks.executors.cloud_run.settings import Connection
from jupyter_blocks.executors.jobs import FailureKind, Finding, JobState, WorkerCommand
from jupyter_blocks.taskboot import ATTEMPT, DIGEST, TASK
from jupyter_blocks.testing.containers import ContainerHost, Image
from jupyter_blocks.testing.fake_cloud_run import CloudRunCloud, fake_cloud_run
from jupyter_blocks.testing.remote_contract import CANARY

IMAGE = "registry.test/shell:1"
ACCOUNT = "blocks@blocks-test.iam.gserviceaccount.com"
SLEEP = ("sleep", "600")


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[CloudRunCloud]:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    with fake_cloud_run(ContainerHost({IMAGE: Image(("/usr/bin", "/bin"))})) as cloud:
        yield cloud


@pytest.fixture
def backend(cloud: CloudRunCloud) -> CloudRunBackend:
    return backend_of(cloud)


def backend_of(cloud: CloudRunCloud, **settings: Any) -> CloudRunBackend:
    merged = {**cloud.settings(), "image": IMAGE, **settings}
    connection = Connection.of(merged)
    return CloudRunBackend(connection, lambda: CloudRunClient(connection), merged)


def request_of(
    backend: CloudRunBackend,
    cloud: CloudRunCloud,
    words: Sequence[str],
    attempt: str = "a" * 26,
    digest: str = "d" * 64,
    **settings: Any,
) -> dict[str, Any]:
    config = {**cloud.settings(), "image": IMAGE, **settings}
    task = BlockTask("r", "p", "b", "custom", attempt, 1, "", "", "", executor_config=config)
    environment = {TASK: "gs://bucket/task.json", DIGEST: digest, ATTEMPT: attempt}
    return backend.request(task, WorkerCommand(tuple(words), environment))


def start(
    backend: CloudRunBackend, cloud: CloudRunCloud, words: Sequence[str], **options: Any
) -> JobHandle:
    attempt = options.get("attempt", "a" * 26)
    job = backend.create(request_of(backend, cloud, words, **options), attempt)
    return JobHandle(backend.name, attempt, {"job": job})


def settled(backend: CloudRunBackend, handle: JobHandle, *phases: Phase) -> JobState:
    """Its state, once it is in one of these phases, or over."""
    deadline = time.monotonic() + 30
    while True:
        state = backend.states([handle]).get(handle.attempt_id)
        if state is not None and (state.phase in phases or (not phases and state.phase.is_final)):
            return state
        assert time.monotonic() < deadline, state
        time.sleep(0.02)


def failure_of(backend: CloudRunBackend, cloud: CloudRunCloud, **settings: Any) -> Any:
    try:
        backend.create(request_of(backend, cloud, SLEEP, **settings), "a" * 26)
    except Exception as error:
        return error.failure if isinstance(error, ApiError) else backend.failure(error)
    raise AssertionError("it was taken")


# one attempt, one job, one execution


def test_making_and_starting_are_one_step(backend: CloudRunBackend, cloud: CloudRunCloud) -> None:
    """However often an attempt is submitted, and whoever does it."""
    handle = start(backend, cloud, SLEEP)
    again = start(backend_of(cloud), cloud, SLEEP)
    assert handle == again
    state = settled(backend, handle, Phase.RUNNING)
    assert state.node == f"jb-{'a' * 26}-run"
    assert cloud.jobs() == len(cloud.host.containers) == 1


def test_a_job_of_another_task_is_not_adopted(
    backend: CloudRunBackend, cloud: CloudRunCloud
) -> None:
    """The digest of the task is compared: an old job never runs instead of a new one."""
    start(backend, cloud, SLEEP)
    failure = failure_of(backend, cloud, digest="e" * 64)
    assert failure.kind is FailureKind.INVALID
    assert "runs another task" in failure.detail


def test_a_job_on_its_way_out_is_waited_for(backend: CloudRunBackend, cloud: CloudRunCloud) -> None:
    """Its name is taken until it is gone."""
    cloud.region_jobs.delete_delay_s = 600.0
    handle = start(backend, cloud, SLEEP)
    backend.delete(handle.data["job"])
    assert failure_of(backend, cloud).kind is FailureKind.UNAVAILABLE
    assert backend.states([handle]) == {}


def test_the_found_job_names_its_task(backend: CloudRunBackend, cloud: CloudRunCloud) -> None:
    """Which is all that another process needs."""
    handle = start(backend, cloud, SLEEP)
    found = backend.find(["a" * 26, "b" * 26])
    assert list(found) == ["a" * 26]
    assert found["a" * 26].job == handle.data["job"]
    assert found["a" * 26].environment[TASK] == "gs://bucket/task.json"


def test_many_jobs_are_looked_at_in_one_list(
    backend: CloudRunBackend, cloud: CloudRunCloud
) -> None:
    """The list lags and comes in pages; what it lacks is asked for by name."""
    cloud.region_jobs.list_lag_s = 0.0
    backend._writes = Rate(1000.0)
    handles = [start(backend, cloud, ("true",), attempt=f"{n:026d}") for n in range(12)]
    for handle in handles:
        settled(backend, handle)
    cloud.region_jobs.most_per_page = 5
    cloud.requests.clear()
    states = backend.states(handles)
    assert {state.phase for state in states.values()} == {Phase.SUCCEEDED}
    assert len(states) == 12
    assert len(cloud.requests) == 3
    cloud.region_jobs.list_lag_s = 600.0
    assert backend.states(handles) == states


# how it ends


def test_no_capacity_is_waited_for_with_its_reason(
    backend: CloudRunBackend, cloud: CloudRunCloud
) -> None:
    """As long as `start_timeout_s` says; Cloud Run's words are shown."""
    cloud.region_jobs.has_capacity = False
    handle = start(backend, cloud, ("true",))
    deadline = time.monotonic() + 10
    while not (state := backend.states([handle])[handle.attempt_id]).detail.startswith("Waiting f"):
        assert time.monotonic() < deadline
    while "resources" not in (state := backend.states([handle])[handle.attempt_id]).detail:
        assert time.monotonic() < deadline
    assert state.phase is Phase.PENDING
    cloud.region_jobs.has_capacity = True
    assert settled(backend, handle).phase is Phase.SUCCEEDED


@pytest.mark.parametrize(("words", "exit_code"), [(("sh", "-c", "exit 23"), 23), (("true",), 0)])
def test_exit_codes_arrive(
    backend: CloudRunBackend, cloud: CloudRunCloud, words: tuple[str, ...], exit_code: int
) -> None:
    """They tell why a worker left no report."""
    assert settled(backend, start(backend, cloud, words)).exit_code == exit_code


def test_an_image_that_may_not_be_read(backend: CloudRunBackend, cloud: CloudRunCloud) -> None:
    """The service agent's role is named; no waiting for it."""
    cloud.region_jobs.unreadable_images.add(IMAGE)
    state = settled(backend, start(backend, cloud, SLEEP))
    assert state.reason is Reason.CONFIGURATION
    assert "roles/artifactregistry.reader" in state.detail


def test_a_secret_of_cloud_runs_own(backend: CloudRunBackend, cloud: CloudRunCloud) -> None:
    """It goes from Secret Manager to the container, and through none of our hands."""
    cloud.region_jobs.secrets["db-password"] = CANARY
    words = ("sh", "-c", 'test -n "$PASSWORD"')
    handle = start(backend, cloud, words, secret_environment={"PASSWORD": "db-password"})
    state = settled(backend, handle)
    assert cloud.host.containers[0].environment["PASSWORD"] == CANARY
    assert state.phase is Phase.SUCCEEDED
    assert not [request for request in cloud.requests if CANARY.split()[0] in request]


def test_a_secret_that_is_missing(backend: CloudRunBackend, cloud: CloudRunCloud) -> None:
    """The role that may be missing is named."""
    handle = start(backend, cloud, SLEEP, secret_environment={"PASSWORD": "db-password"})
    state = settled(backend, handle)
    assert state.reason is Reason.CONFIGURATION
    assert "roles/secretmanager.secretAccessor" in state.detail


def test_cloud_runs_timeout(backend: CloudRunBackend, cloud: CloudRunCloud) -> None:
    """It is no crash, and the setting is named."""
    state = settled(backend, start(backend, cloud, SLEEP, timeout_s=1))
    assert state.reason is Reason.TIMEOUT
    assert "1s: raise 'timeout_s'" in state.detail


def test_cancelling(backend: CloudRunBackend, cloud: CloudRunCloud) -> None:
    """A running one is cancelled; again, too late, and after deletion is fine."""
    handle = start(backend, cloud, SLEEP)
    settled(backend, handle, Phase.RUNNING)
    backend.stop(handle.data["job"], 30.0)
    assert settled(backend, handle).phase is Phase.CANCELLED
    backend.stop(handle.data["job"], 30.0)
    backend.delete(handle.data["job"])
    deadline = time.monotonic() + 10
    while backend.find([handle.attempt_id]):
        assert time.monotonic() < deadline
    backend.stop(handle.data["job"], 30.0)
    backend.delete(handle.data["job"])


def test_what_ended_while_it_was_cancelled(
    backend: CloudRunBackend, cloud: CloudRunCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cloud Run refuses that; nobody has to know."""
    handle = start(backend, cloud, SLEEP)
    settled(backend, handle, Phase.RUNNING)
    answers = [backend._jobs([handle.data["job"]["name"]])]
    cloud.lose(handle.attempt_id)
    settled(backend, handle)
    now = backend._jobs
    monkeypatch.setattr(backend, "_jobs", lambda names: answers.pop() if answers else now(names))
    backend.stop(handle.data["job"], 10.0)
    assert not answers
    assert cloud.requests[-2].endswith(":cancel {}") or ":cancel?" in cloud.requests[-2]


def test_deleting_what_runs(backend: CloudRunBackend, cloud: CloudRunCloud) -> None:
    """It is cancelled first where Cloud Run wants that."""
    cloud.region_jobs.deletes_running = False
    handle = start(backend, cloud, SLEEP)
    settled(backend, handle, Phase.RUNNING)
    calls = ApiCalls(Rate(100.0), backend.failure, backend.renew)
    calls(lambda: backend.delete(handle.data["job"]), 30.0)
    assert backend.states([handle]) == {}


def test_cancelling_before_it_begins(backend: CloudRunBackend, cloud: CloudRunCloud) -> None:
    """There is no execution to cancel yet, so the job goes."""
    cloud.region_jobs.start_delay_s = 600.0
    handle = start(backend, cloud, SLEEP)
    assert backend.states([handle])[handle.attempt_id].phase is Phase.PENDING
    backend.stop(handle.data["job"], 30.0)
    assert backend.states([handle]) == {}
    assert cloud.requests[-2].startswith("DELETE")


def test_the_last_lines(backend: CloudRunBackend, cloud: CloudRunCloud) -> None:
    """From Cloud Logging, in order; nothing where they may not be read."""
    handle = start(backend, cloud, ("sh", "-c", "echo one; echo two"))
    settled(backend, handle)
    assert backend.tail(handle.data["job"]) == ["one", "two"]
    cloud.permissions.remove("logging.logEntries.list")
    assert backend.tail(handle.data["job"]) == []


# errors of the API


@pytest.mark.parametrize(
    ("permission", "role"),
    [("run.jobs.create", "roles/run.developer"), ("run.jobs.run", "roles/run.developer")],
)
def test_a_missing_permission_is_named(
    backend: CloudRunBackend, cloud: CloudRunCloud, permission: str, role: str
) -> None:
    """With the role that brings it."""
    cloud.permissions.remove(permission)
    failure = failure_of(backend, cloud)
    assert failure.kind is FailureKind.PERMISSION
    assert f"Ask for the role {role}, which brings {permission}" in failure.detail


def test_details_that_may_not_be_read_hide_nothing(
    backend: CloudRunBackend, cloud: CloudRunCloud
) -> None:
    """Whoever may see jobs, but not their tasks, still sees that a job failed."""
    cloud.permissions -= {"run.tasks.list", "run.executions.get"}
    assert settled(backend, start(backend, cloud, ("false",))).phase is Phase.FAILED


def test_no_room_for_another_job(backend: CloudRunBackend, cloud: CloudRunCloud) -> None:
    """A region holds so many jobs; it costs no attempt."""
    cloud.region_jobs.most_jobs = 0
    failure = failure_of(backend, cloud)
    assert failure.kind is FailureKind.NO_CAPACITY
    assert "Quota exceeded" in failure.detail
    assert "higher quota" in failure.detail


def test_acting_as_a_service_account(backend: CloudRunBackend, cloud: CloudRunCloud) -> None:
    """A right of its own, which is often forgotten."""
    failure = failure_of(backend, cloud, service_account="other@blocks-test.test")
    assert failure.kind is FailureKind.PERMISSION
    assert "roles/iam.serviceAccountUser" in failure.detail


def test_an_api_that_is_not_enabled(backend: CloudRunBackend, cloud: CloudRunCloud) -> None:
    """The command that enables it is named."""
    cloud.is_enabled = False
    failure = failure_of(backend, cloud)
    assert failure.kind is FailureKind.NOT_FOUND
    assert "`gcloud services enable run.googleapis.com --project blocks-test`" in failure.detail


def test_a_region_that_does_not_exist(cloud: CloudRunCloud) -> None:
    """Region and project are shown."""
    failure = failure_of(backend_of(cloud, region="atlantis"), cloud)
    assert failure.kind is FailureKind.NOT_FOUND
    assert "'region: atlantis'" in failure.detail


def test_a_project_of_others(cloud: CloudRunCloud) -> None:
    """Google does not say whether it exists."""
    failure = failure_of(backend_of(cloud, project_id="other"), cloud)
    assert failure.kind is FailureKind.PERMISSION
    assert "projects/other" in failure.detail


def test_bad_fields_are_named(backend: CloudRunBackend, cloud: CloudRunCloud) -> None:
    """What `check` did not find, Cloud Run does."""
    failure = failure_of(backend, cloud, cpu=3)
    assert failure.kind is FailureKind.INVALID
    assert "resources.limits.cpu: Invalid value specified for cpu: 3" in failure.detail


@pytest.mark.parametrize(
    ("status", "kind", "pause_s"),
    [
        (429, FailureKind.THROTTLED, 1.0),
        (500, FailureKind.UNAVAILABLE, None),
        (503, FailureKind.UNAVAILABLE, None),
        (504, FailureKind.UNAVAILABLE, None),
        (0, FailureKind.UNAVAILABLE, None),
    ],
)
def test_passing_trouble(
    backend: CloudRunBackend,
    cloud: CloudRunCloud,
    status: int,
    kind: FailureKind,
    pause_s: float | None,
) -> None:
    """It is tried again by us alone: the SDK sends every call once."""
    cloud.fail(1, status, when="create")
    failure = failure_of(backend, cloud)
    assert (failure.kind, failure.retry_after_s) == (kind, pause_s)
    assert len(cloud.requests) == 1


def test_reads_are_sent_once_too(backend: CloudRunBackend, cloud: CloudRunCloud) -> None:
    """The SDK's own retries of reads are off."""
    cloud.fail(1, 503, when="list")
    with pytest.raises(Exception, match="unavailable") as caught:
        backend.find(["a" * 26])
    assert backend.failure(caught.value).kind is FailureKind.UNAVAILABLE
    assert len(cloud.requests) == 1


def test_nobody_there() -> None:
    """A closed port is no end of anything."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    place = {"project_id": "p", "region": "r", "endpoint": f"http://127.0.0.1:{port}"}
    connection = Connection.of(place)
    backend = CloudRunBackend(connection, lambda: CloudRunClient(connection))
    with pytest.raises(Exception, match="Connection refused") as caught:
        backend.find(["a" * 26])
    assert backend.failure(caught.value).kind is FailureKind.UNAVAILABLE


# credentials


@pytest.fixture
def key_file(tmp_path: Path, cloud: CloudRunCloud) -> Path:
    """A service account's key, as Google hands them out."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    path = tmp_path / "key.json"
    document = {
        "type": "service_account",
        "project_id": "blocks-test",
        "private_key_id": "1",
        "private_key": text,
        "client_email": ACCOUNT,
        "client_id": "1",
        "token_uri": f"{cloud.url}/token",
    }
    path.write_text(json.dumps(document), "utf-8")
    return path


def test_tokens_are_renewed(cloud: CloudRunCloud, key_file: Path) -> None:
    """A token is sent with every call, and fetched anew where it has expired."""
    cloud.wants_token = True
    backend = backend_of(cloud, path_to_credentials_json_file=str(key_file))
    handle = start(backend, cloud, ("true",))
    cloud.tokens.clear()
    assert settled(backend, handle).phase is Phase.SUCCEEDED
    assert cloud.tokens


def test_a_key_that_was_withdrawn(cloud: CloudRunCloud, key_file: Path) -> None:
    """Credentials are read anew once; then it says how to log in."""
    cloud.wants_token = True
    backend = backend_of(cloud, path_to_credentials_json_file=str(key_file))
    calls = ApiCalls(Rate(100.0), backend.failure, backend.renew)
    assert calls(lambda: backend.find(["a" * 26]), 30.0) == {}
    cloud.tokens.clear()
    cloud.knows_key = False
    with pytest.raises(ApiError, match="gcloud auth application-default login") as caught:
        calls(lambda: backend.find(["a" * 26]), 30.0)
    assert caught.value.failure.kind is FailureKind.CREDENTIALS
    assert "Invalid JWT Signature" in caught.value.failure.detail


def test_no_credentials(cloud: CloudRunCloud) -> None:
    """Anonymous calls are refused where tokens are wanted."""
    cloud.wants_token = True
    failure = failure_of(backend_of(cloud), cloud)
    assert failure.kind is FailureKind.CREDENTIALS


@pytest.mark.parametrize("content", [None, "{}", "no json"])
def test_a_bad_key_file_is_named(cloud: CloudRunCloud, tmp_path: Path, content: str | None) -> None:
    """With the setting to correct."""
    path = tmp_path / "bad.json"
    if content is not None:
        path.write_text(content, "utf-8")
    failure = failure_of(backend_of(cloud, path_to_credentials_json_file=str(path)), cloud)
    assert failure.kind is FailureKind.CREDENTIALS
    assert "path_to_credentials_json_file" in failure.detail


def test_no_default_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Opening the executor asks nobody; the first call says how to log in."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))
    context = ExecutorContext(str(tmp_path), {"project_id": "p", "image": IMAGE})
    executor = open_cloud_run(context)
    (finding,) = executor.diagnose()
    executor.close()
    assert not finding.is_good
    assert "gcloud auth application-default login" in finding.hint


# looking before a run


def found(backend: CloudRunBackend) -> dict[str, Finding]:
    return {finding.what.split(",")[0]: finding for finding in backend.diagnose()}


def test_all_is_well(cloud: CloudRunCloud) -> None:
    """Everything is looked at, and nothing is made."""
    findings = backend_of(cloud, service_account=ACCOUNT).diagnose()
    assert [finding.is_good for finding in findings] == [True] * 5
    assert cloud.jobs() == 0


def test_missing_permissions_are_listed(cloud: CloudRunCloud, backend: CloudRunBackend) -> None:
    """All at once, with the role."""
    cloud.permissions -= {"run.jobs.delete", "run.executions.cancel"}
    finding = found(backend)["permissions in the project"]
    assert not finding.is_good
    assert finding.detail == "missing: run.executions.cancel, run.jobs.delete"
    assert "roles/run.developer" in finding.hint


@pytest.mark.parametrize(
    ("changes", "settings", "what", "hint"),
    [
        (
            {"is_enabled": False},
            {},
            "jobs in europe-west1 of project blocks-test",
            "gcloud services enable",
        ),
        ({}, {"region": "atlantis"}, "jobs in atlantis of project blocks-test", "'region: atl"),
        (
            {},
            {"service_account": "x@y.test"},
            "acting as x@y.test",
            "roles/iam.serviceAccountUser",
        ),
        ({}, {"image": ""}, "a job with image (none)", "Set 'image'"),
        ({}, {"cpu": 3}, f"a job with image {IMAGE}", "Invalid value specified for cpu"),
        ({"wants_token": True}, {}, "jobs in europe-west1 of project blocks-test", "gcloud auth"),
    ],
)
def test_what_is_wrong_is_found(
    cloud: CloudRunCloud,
    changes: dict[str, Any],
    settings: dict[str, Any],
    what: str,
    hint: str,
) -> None:
    """Each with what to do."""
    for name, value in changes.items():
        setattr(cloud, name, value)
    finding = found(backend_of(cloud, **settings))[what]
    assert not finding.is_good
    assert hint in finding.hint


# the fake is as strict as the real one


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/jobs?jobId=jb-1", {"tempalte": {}}, 400),
        ("POST", "/jobs?jobId=jb-1&force=true", {}, 400),
        ("POST", "/jobs?jobId=JB_1", {}, 400),
        ("POST", "/jobs?jobId=jb-1", {"uid": "mine"}, 400),
        ("GET", "/jobs/jb-1", None, 404),
        ("GET", "/services/jb-1", None, 404),
    ],
)
def test_the_fake_refuses(
    cloud: CloudRunCloud, method: str, path: str, body: Any, status: int
) -> None:
    """Unknown fields, parameters and names, and what only the server may write."""
    import requests

    url = f"{cloud.url}/v2/projects/blocks-test/locations/europe-west1{path}"
    with requests.request(method, url, json=body, timeout=10) as answer:
        assert answer.status_code == status
        assert answer.json()["error"]["code"] == status


def test_plain_http_stays_on_this_machine() -> None:
    """Tokens are not sent around unencrypted."""
    with pytest.raises(ExecutorError, match="unencrypted"):
        Connection.of({"project_id": "p", "endpoint": "http://run.internal:8080"})
