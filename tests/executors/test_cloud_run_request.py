"""What Cloud Run is asked for: golden requests, settings, limits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_blocks.errors import ExecutorError
from jupyter_blocks.executors.base import BlockTask, ExecutorContext
from jupyter_blocks.executors.cloud_run.backend import CloudRunBackend, open_cloud_run
from jupyter_blocks.executors.cloud_run.client import parsed
from jupyter_blocks.executors.cloud_run.request import job_id
from jupyter_blocks.executors.cloud_run.settings import KEYS, Connection, JobSettings
from jupyter_blocks.executors.jobs import WorkerCommand
from jupyter_blocks.executors.table import EXECUTORS
from jupyter_blocks.taskboot import ATTEMPT, DIGEST, TASK
from jupyter_blocks.testing.fake_cloud_run_rules import RefusedError, read_job

GOLDEN = Path(__file__).parent / "golden"
PAGE = Path(__file__).parent.parent.parent / "docs" / "executors" / "cloud_run.md"
ATTEMPT_ID = "0123456789abcdef0123456789"


def _knows_gpus() -> bool:
    try:
        parsed("Job", {"template": {"template": {"nodeSelector": {"accelerator": "a"}}}})
    except ValueError:
        return False
    return True


KNOWS_GPUS = _knows_gpus()
"""Whether the installed SDK is new enough to have GPUs in jobs."""
PLACE = {"project_id": "my-project", "region": "europe-west1"}
IMAGE = "europe-west1-docker.pkg.dev/my-project/blocks/worker:1"
COMMAND = WorkerCommand(
    ("python", "-m", "jupyter_blocks.worker"),
    {
        TASK: "gs://my-bucket/variables/pipelines/flights/runs/1/load/0123/task.json",
        DIGEST: "d" * 64,
        ATTEMPT: ATTEMPT_ID,
    },
)


def task_of(settings: dict[str, Any] | None = None, **changes: Any) -> BlockTask:
    values: dict[str, Any] = {
        "run_id": "20261123T060000",
        "pipeline": "Flüge pro Tag",
        "block": "load_flights",
        "type": "data_loader",
        "attempt_id": ATTEMPT_ID,
        "attempt": 1,
        "project": "",
        "working_dir": ".",
        "file": "data_loaders/load_flights.py",
        "executor_config": {**PLACE, "image": IMAGE, **(settings or {})},
    }
    return BlockTask(**{**values, **changes})


def backend() -> CloudRunBackend:
    def refuse() -> Any:
        raise AssertionError("a request asks nobody")

    return CloudRunBackend(Connection.of(PLACE), refuse, {**PLACE, "image": IMAGE})


def request_of(settings: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return backend().request(task_of(settings, **changes), COMMAND)


def problems_of(settings: dict[str, Any] | None = None, **changes: Any) -> str:
    request = request_of(settings, **changes)
    # As the dispatcher has it: the settings of the block only.
    found = backend().check(task_of(executor_config=settings or {}, **changes), request)
    return "\n".join(f"{problem.message} {problem.hint}" for problem in found)


CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain": ({}, {}),
    "resources": (
        {"cpu": 2, "memory": "4Gi", "timeout_seconds": 1200},
        {"resources": {"memory_mib": 8192, "cpu": 3.0}},
    ),
    "block_timeout": ({}, {"timeout_s": 90.5}),
    "everything": (
        {
            "cpu": 4,
            "memory": "8Gi",
            "service_account": "worker@my-project.iam.gserviceaccount.com",
            "execution_environment": "gen2",
            "network": "default",
            "subnetwork": "default",
            "network_tags": ["blocks"],
            "vpc_egress": "private-ranges-only",
            "encryption_key": "projects/my-project/locations/eu/keyRings/r/cryptoKeys/k",
            "launch_stage": "BETA",
            "labels": {"team": "data"},
            "annotations": {"example.org/contact": "Ada Lovelace"},
            "secret_environment": {
                "PASSWORD": "db-password",
                "TOKEN": "api-token:3",
                "OTHER": "projects/other/secrets/key/versions/7",
            },
            "timeout_s": 86400,
        },
        {},
    ),
    "connector": (
        {
            "vpc_connector": "projects/my-project/locations/europe-west1/connectors/c",
            "vpc_egress": "all-traffic",
        },
        {},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_requests_are_as_they_were(name: str) -> None:
    """A request changes only when somebody wants it to."""
    settings, changes = CASES[name]
    golden = json.loads((GOLDEN / f"cloud_run_{name}.json").read_text("utf-8"))
    assert request_of(settings, **changes) == golden


@pytest.mark.parametrize("name", CASES)
def test_requests_are_what_the_api_reads(name: str) -> None:
    """Every field exists in the type of the API, with that meaning, and nothing gets lost."""
    settings, changes = CASES[name]
    job = request_of(settings, **changes)["job"]
    assert parsed("Job", job) == job
    assert not problems_of(settings, **changes)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"tempalte": {}}, "tempalte"),
        ({"template": {"taskCount": "many"}}, "many"),
        ({"startExecutionToken": "a", "runExecutionToken": "b"}, "oneof"),
    ],
)
def test_what_the_api_does_not_read_is_found(document: dict[str, Any], words: str) -> None:
    """The golden requests are held to something."""
    with pytest.raises(ValueError, match=words):
        parsed("Job", document)


def test_a_gpu_is_asked_for() -> None:
    """With the least machine it goes with, and the time limit that holds for it."""
    request = request_of({"gpu": 1, "gpu_zonal_redundancy": False})
    assert request == json.loads((GOLDEN / "cloud_run_gpu.json").read_text("utf-8"))
    template = request["job"]["template"]["template"]
    assert template["nodeSelector"] == {"accelerator": "nvidia-l4"}
    assert template["gpuZonalRedundancyDisabled"] is True
    limits = template["containers"][0]["resources"]["limits"]
    assert limits == {"cpu": "4", "memory": "16384Mi", "nvidia.com/gpu": "1"}
    assert template["timeout"] == "3600s"


@pytest.mark.parametrize(
    ("resources", "settings", "cpu", "memory"),
    [
        ({"gpu": 1}, {}, "4", "16384Mi"),
        ({"gpu": 1, "cpu": 2, "memory_mib": 1024}, {}, "4", "16384Mi"),
        ({"gpu": 1, "cpu": 7, "memory_mib": 20000}, {"gpu": 0}, "8", "20000Mi"),
    ],
)
def test_a_block_gets_the_gpu_it_wants(
    resources: dict[str, Any], settings: dict[str, Any], cpu: str, memory: str
) -> None:
    """With at least what it asks for besides, and what Cloud Run gives no GPU without."""
    job = request_of(settings, resources=resources)["job"]
    template = job["template"]["template"]
    assert template["nodeSelector"] == {"accelerator": "nvidia-l4"}
    limits = template["containers"][0]["resources"]["limits"]
    assert limits == {"cpu": cpu, "memory": memory, "nvidia.com/gpu": "1"}
    if KNOWS_GPUS:
        assert read_job(job_id(ATTEMPT_ID), job) == job


def test_more_gpus_than_a_job_can_have() -> None:
    """It is said before the run, and would be refused."""
    assert "'gpu: 2' is more than a job can have" in problems_of(resources={"gpu": 2})
    if KNOWS_GPUS:
        with pytest.raises(RefusedError, match=r"nvidia\.com/gpu"):
            read_job(job_id(ATTEMPT_ID), request_of(resources={"gpu": 2})["job"])


@pytest.mark.parametrize("wish", [{"settings": {"gpu": 1}}, {"resources": {"gpu": 1}}])
def test_an_old_sdk_is_told_before_the_run(wish: dict[str, Any]) -> None:
    """It has no field for GPUs; every newer one takes the request."""
    found = problems_of(**wish)
    assert not found if KNOWS_GPUS else "pip install -U google-cloud-run" in found


def test_one_job_for_one_attempt() -> None:
    """Its name is that of the attempt, and leaves room for the token."""
    request = request_of()
    assert request["jobId"] == job_id(ATTEMPT_ID) == f"jb-{ATTEMPT_ID}"
    job = request["job"]
    assert len(request["jobId"]) + len(job["startExecutionToken"]) < 63
    assert job["template"]["template"]["maxRetries"] == 0
    assert job["annotations"]["jupyter-blocks/pipeline"] == "Flüge pro Tag"


@pytest.mark.parametrize(
    ("resources", "settings", "limits"),
    [
        ({}, {}, ("1", "2048Mi")),
        ({"cpu": 0.5}, {}, ("1", "2048Mi")),
        ({"cpu": 3}, {}, ("4", "2048Mi")),
        ({"cpu": 6}, {}, ("6", "4096Mi")),
        ({"memory_mib": 100}, {}, ("1", "512Mi")),
        ({"memory_mib": 9000}, {}, ("4", "9000Mi")),
        ({"memory_mib": 1024}, {"memory": "16Gi", "cpu": 6}, ("6", "1024Mi")),
        ({}, {"memory": 20000}, ("6", "20000Mi")),
        ({}, {"memory": "1G"}, ("1", "953Mi")),
    ],
)
def test_the_size_of_a_machine(
    resources: dict[str, Any], settings: dict[str, Any], limits: tuple[str, str]
) -> None:
    """A block's own wishes first, then the settings, then the least that goes together."""
    container = request_of(settings, resources=resources)["job"]["template"]["template"]
    found = container["containers"][0]["resources"]["limits"]
    assert (found["cpu"], found["memory"]) == limits


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"image": ""}, "no 'image' is set"),
        ({"cpu": 3}, "a job cannot have 3 CPUs. Write 1, 2, 4, 6 or 8"),
        ({"cpu": 0.5}, "a job cannot have 0.5 CPUs"),
        ({"memory": "64Gi"}, "Write 512Mi to 32Gi"),
        ({"memory": "256Mi"}, "Write 512Mi to 32Gi"),
        ({"cpu": 1, "memory": "8Gi"}, "8192 MiB of memory need 2 CPUs, not 1. Write 'cpu: 2'"),
        ({"cpu": 8, "memory": "2Gi"}, "8 CPUs need 4096 MiB of memory"),
        ({"timeout_s": 700000}, "'timeout_s' may be 604800 at most"),
        ({"gpu": 2}, "'gpu: 2' is more than a job can have"),
        ({"gpu": 1, "cpu": 1}, "a job with a GPU needs 4 CPUs and 16Gi"),
        ({"gpu": 1, "timeout_s": 7200}, "'timeout_s' may be 3600 at most"),
        ({"labels": {"Team": "Data Science"}}, "'Team: Data Science' is no label"),
        ({"labels": {f"l{n}": "" for n in range(64)}}, "a job cannot have 65 labels"),
        ({"annotations": {"run.googleapis.com/x": "1"}}, "belongs to Cloud Run"),
        ({"annotations": {"x": "y" * 300_000}}, "larger than 256 KiB"),
        ({"vpc_connector": "c", "network": "n"}, "exclude each other"),
        ({"network_tags": ["a"]}, "'network_tags' need a network"),
        ({"vpc_egress": "all-traffic"}, "'vpc_egress' needs a network"),
        ({"secret_environment": {TASK: "x"}}, f"sets {TASK}, which is taken"),
        ({"secret_environment": {"PORT": "x"}}, "PORT belongs to Cloud Run"),
        ({"region": "us-east1"}, "a block cannot set project_id, region"),
        ({"project_id": "other"}, "a block cannot set project_id, region"),
    ],
)
def test_what_cloud_run_would_refuse(settings: dict[str, Any], words: str) -> None:
    """It is said before the run, with what to write instead."""
    assert words in problems_of(settings)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"regoin": "x"}, "'regoin' is not known. Did you mean 'region'"),
        ({"zzz": 1}, "'zzz' is not known. Known: annotations"),
        ({"cpu": "many"}, "'cpu' must be a number of at least 0.08, not 'many'"),
        ({"cpu": True}, "'cpu' must be a number of at least 0.08, not true"),
        ({"memory": "big"}, "'memory' must be a size such as 2Gi or 2048Mi, not 'big'"),
        ({"gpu": 1.5}, "'gpu' must be a whole number of at least 0, not 1.5"),
        ({"gpu_zonal_redundancy": "no"}, "must be true or false, not 'no'"),
        ({"execution_environment": "gen3"}, "must be gen1 or gen2, not 'gen3'"),
        ({"labels": "team"}, "'labels' must be a mapping of names to texts"),
        ({"image": ["a"]}, "Settings of executor 'gcp_cloud_run': 'image' must be a text"),
        ({"endpoint": "http://run.example.org"}, "would send your credentials unencrypted"),
        ({"project_id": ""}, "no 'project_id' is set"),
    ],
)
def test_settings_that_make_no_sense(
    settings: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are refused when the executor is opened."""
    monkeypatch.delenv("GCP_PROJECT_ID", raising=False)
    with pytest.raises(ExecutorError) as caught:
        open_cloud_run(ExecutorContext("/project", {**PLACE, "image": IMAGE, **settings}))
    assert words in str(caught.value)


def test_mages_environment_variables_stand_in() -> None:
    """As with Mage: project and region, whose default is Mage's too."""
    assert Connection.of({}, {"GCP_PROJECT_ID": "p", "GCP_REGION": "r"}).parent == (
        "projects/p/locations/r"
    )
    assert Connection.of({"project_id": "mine"}, {"GCP_PROJECT_ID": "p"}).parent == (
        "projects/mine/locations/us-west2"
    )


def test_common_settings_are_accepted() -> None:
    """Those of every remote executor are not unknown here."""
    JobSettings.of({"secrets": {"A": "env:B"}, "environment": {"C": "d"}, "start_timeout_s": 5})


def test_all_settings_are_documented() -> None:
    """The page has a line for each of them."""
    text = PAGE.read_text("utf-8")
    missing = [key for key in KEYS if f"| `{key}` |" not in text]
    assert not missing


def test_the_table_names_it() -> None:
    """`gcp_cloud_run` is opened from `gcp_cloud_run_config`."""
    entry = EXECUTORS["gcp_cloud_run"]
    assert entry.target == "jupyter_blocks.executors.cloud_run.backend:open_cloud_run"
    assert entry.settings_key == "gcp_cloud_run_config"
