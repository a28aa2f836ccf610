"""The Job that is sent for a task, and the settings it is made of."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from jupyter_blocks.errors import ExecutorError
from jupyter_blocks.executors.base import BlockTask
from jupyter_blocks.executors.jobs import WorkerCommand
from jupyter_blocks.executors.kubernetes.backend import KubernetesBackend
from jupyter_blocks.executors.kubernetes.client import ClusterClient
from jupyter_blocks.executors.kubernetes.diagnosis import OPTIONAL_RIGHTS, RIGHTS
from jupyter_blocks.executors.kubernetes.request import job_request, request_problems, run_label
from jupyter_blocks.executors.kubernetes.schema import checked, parse_quantity
from jupyter_blocks.executors.kubernetes.settings import SETTINGS, read_settings

GOLDEN = Path(__file__).parent / "golden"
PAGE = Path(__file__).parents[2] / "docs" / "executors" / "kubernetes.md"
IMAGE = "registry.example.com/blocks:1"
COMMAND = WorkerCommand(
    ("python", "-m", "jupyter_blocks.worker"),
    {
        "JUPYTER_BLOCKS_TASK": "s3://bucket/variables/p/b/task.json",
        "JUPYTER_BLOCKS_TASK_SHA256": "d" * 64,
        "JUPYTER_BLOCKS_ATTEMPT": "0123456789abcdef0123456789",
    },
)
TASK = BlockTask(
    run_id="20260101-120000-abcdef",
    pipeline="Flüge nach Süden",
    block="load_flights",
    type="data_loader",
    attempt_id="0123456789abcdef0123456789",
    attempt=2,
    project="",
    working_dir=".",
    file="data_loaders/load_flights.py",
)
REQUESTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "k8s_plain": ({"image": IMAGE}, {}),
    "k8s_everything": (
        {
            "namespace": "research",
            "image": IMAGE,
            "image_pull_policy": "Always",
            "image_pull_secrets": ["registry-login"],
            "job_name_prefix": "data-prep",
            "resource_limits": {"cpu": 2, "memory": "1Gi"},
            "resource_requests": {"cpu": "500m", "memory": "1Gi"},
            "gpu_resource": "amd.com/gpu",
            "node_selector": {"pool": "batch"},
            "tolerations": [{"key": "spot", "operator": "Exists", "effect": "NoSchedule"}],
            "affinity": {
                "node_affinity": {
                    "required_during_scheduling_ignored_during_execution": {
                        "node_selector_terms": [
                            {
                                "match_expressions": [
                                    {"key": "zone", "operator": "In", "values": ["a", "b"]}
                                ]
                            }
                        ]
                    }
                }
            },
            "service_account_name": "blocks",
            "priority_class_name": "low",
            "volumes": [{"name": "data", "persistent_volume_claim": {"claim_name": "data"}}],
            "volume_mounts": [{"name": "data", "mount_path": "/data", "read_only": True}],
            "labels": {"team": "flights", "kueue.x-k8s.io/queue-name": "batch"},
            "annotations": {"owner": "Jürgen, Raum 5"},
            "ttl_seconds_after_finished": 3600,
            "active_deadline_seconds": 7200,
            "termination_grace_period_seconds": 60,
        },
        {
            "resources": {"cpu": 4, "memory_mib": 2048, "gpu": 1},
            "secrets": {"PASSWORD": "k8s:database/password", "TOKEN": "env:TOKEN"},
        },
    ),
    "k8s_mage": (
        {
            "namespace": "mage",
            "job_name_prefix": "{trigger_name}",
            "service_account_name": "mageai",
            "resource_limits": {"cpu": "1000m", "memory": "2048Mi", "gpu": 1},
            "resource_requests": {"cpu": "500m", "memory": "1024Mi"},
            "metadata": {"labels": {"env": "prod"}, "annotations": {"application": "mage"}},
            "container_config": {
                "image": IMAGE,
                "image_pull_policy": "IfNotPresent",
                "env": [{"name": "ENV", "value": "prod"}],
            },
            "pod": {
                "image_pull_secrets": [{"name": "registry-login"}],
                "scheduler_name": "volcano",
                "volumes": [{"name": "data-pvc", "emptyDir": {}}],
                "securityContext": {"runAsNonRoot": True, "fsGroup": 1000},
            },
            "container": {
                "volumeMounts": [{"name": "data-pvc", "mountPath": "/tmp/data"}],
                "securityContext": {"allowPrivilegeEscalation": False},
            },
            "job": {"ttl_seconds_after_finished": 600, "active_deadline_seconds": 120},
        },
        {},
    ),
}


def made(settings: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return job_request(replace(TASK, **changes), COMMAND, read_settings(settings, environment={}))


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_are_as_they_were(name: str) -> None:
    """What is sent to a cluster changes only on purpose."""
    settings, changes = REQUESTS[name]
    request = made(settings, **changes)
    assert request == json.loads((GOLDEN / f"{name}.json").read_text("utf-8"))


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_are_jobs(name: str) -> None:
    """Every field is one the official client's models have, and none is missing."""
    settings, changes = REQUESTS[name]
    task = replace(TASK, **changes)
    assert request_problems(task, made(settings, **changes)) == []


def test_the_models_find_what_is_wrong() -> None:
    """The check is that of the client: misspelt, mistyped and missing fields are all named."""
    request = made({"image": IMAGE})
    pod = request["spec"]["template"]["spec"]
    pod["restartPolcy"] = "Never"
    pod["containers"][0]["stdin"] = "yes"
    del pod["containers"][0]["name"]
    _, faults = checked("V1Job", request)
    assert {fault.at: fault.is_unknown_field for fault in faults} == {
        "spec.template.spec.restartPolcy": True,
        "spec.template.spec.containers[0].stdin": False,
        "spec.template.spec.containers[0].name": False,
    }


def test_only_the_reference_of_a_secret_travels() -> None:
    """A secret of the cluster reaches the container by its name, other kinds not at all."""
    secrets = {"PASSWORD": "k8s:database/password", "TOKEN": "env:TOKEN"}
    pod = made({"image": IMAGE}, secrets=secrets)["spec"]["template"]["spec"]
    (password,) = [item for item in pod["containers"][0]["env"] if item["name"] == "PASSWORD"]
    assert password["valueFrom"] == {"secretKeyRef": {"name": "database", "key": "password"}}
    assert "TOKEN" not in [item["name"] for item in pod["containers"][0]["env"]]


def test_kubernetes_never_tries_again() -> None:
    """Retries are Jupyter Blocks' own, and a lost node is told from a failure."""
    spec = made({"image": IMAGE, "job": {"backoff_limit": 4}})["spec"]
    assert spec["backoffLimit"] == 0
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    assert spec["podFailurePolicy"]["rules"][0]["onPodConditions"][0]["type"] == "DisruptionTarget"


@pytest.mark.parametrize(
    ("wishes", "settings", "limits", "requests"),
    [
        ({}, {}, {}, {}),
        ({"memory_mib": 512.0}, {}, {"memory": "512Mi"}, {"memory": "512Mi"}),
        ({"cpu": 0.5}, {}, {}, {"cpu": "500m"}),
        ({"cpu": 4}, {"resource_limits": {"cpu": 2}}, {"cpu": "4"}, {"cpu": "4"}),
        ({"cpu": 1}, {"resource_limits": {"cpu": "2"}}, {"cpu": "2"}, {"cpu": "1"}),
        ({"gpu": 2}, {}, {"nvidia.com/gpu": "2"}, {}),
        ({"gpu": 1}, {"gpu_resource": "amd.com/gpu"}, {"amd.com/gpu": "1"}, {}),
        (
            {"memory_mib": 4096},
            {"resources": {"limits": {"memory": "1Gi"}, "requests": {"cpu": 1}}},
            {"memory": "4096Mi"},
            {"memory": "4096Mi", "cpu": "1"},
        ),
    ],
)
def test_what_a_block_wants_comes_first(
    wishes: dict[str, Any], settings: dict[str, Any], limits: Any, requests: Any
) -> None:
    """A block's own resources win over those of the settings, and the request stays valid."""
    request = made({"image": IMAGE, **settings}, resources=wishes)
    resources = request["spec"]["template"]["spec"]["containers"][0].get("resources", {})
    assert resources.get("limits", {}) == limits
    assert resources.get("requests", {}) == requests
    assert request_problems(TASK, request) == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"namepsace": "a"}, "Did you mean 'namespace'"),
        ({"pod": {"node_selektor": {}}}, "Did you mean 'node_selector'"),
        ({"container_config": {"imagePullPolice": "Always"}}, "Did you mean 'imagePullPolicy'"),
        ({"container": {"command": ["sh"]}}, "'container.command' cannot be set"),
        ({"pod": {"restart_policy": "Always"}}, "'pod.restartPolicy' cannot be set"),
        ({"job": {"parallelism": 2}}, "'job.parallelism' cannot be set"),
        ({"metadata": {"name": "x"}}, "job_name_prefix"),
        ({"tolerations": {"key": "a"}}, "'tolerations' must be a list"),
        ({"pod": "none"}, "'pod' must be a mapping"),
        ({"labels": "team"}, "'labels' must be a mapping of names to texts"),
        ({"metadata": {"labels": "team"}}, "'metadata.labels' must be a mapping"),
        ({"container": {"resources": "big"}}, "'container.resources' must be a mapping"),
        ({"resources": {"limits": 5}}, "'resources.limits' must be a mapping, not 5"),
        ({"resource_requests": ["cpu"]}, "'resource_requests' must be a mapping, not a list"),
        ({"image_pull_secrets": 5}, "'image_pull_secrets' must be a list of names, not 5"),
        ({"namespace": ["a"]}, "Settings of executor 'k8s': 'namespace' must be a text"),
        ({"ttl_seconds_after_finished": "soon"}, "must be a whole number, not 'soon'"),
        ({"resource_limits": {"memory": "2 GB"}}, "'2 GB' is no quantity"),
        ({"resources": {"memory_mib": 5}}, "a block's own 'resources'"),
        ({"job_name_prefix": "Daten"}, "lower case letters"),
        ({"job_name_prefix": "a" * 40}, "Write up to 36"),
        ({"config_file": "nothing.yaml"}, "nothing.yaml cannot be read"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any], words: str) -> None:
    """By name, with the way out."""
    with pytest.raises(ExecutorError) as caught:
        read_settings(settings, environment={})
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "changes", "words"),
    [
        ({}, {}, "'image' is missing"),
        ({"image": IMAGE, "namespace": "My Space"}, {}, "no name of a namespace"),
        ({"image": IMAGE, "labels": {"a b": "c"}}, {}, "no name of a label"),
        ({"image": IMAGE, "labels": {"team": "x" * 64}}, {}, "no value of a label"),
        ({"image": IMAGE, "annotations": {"note": "x" * 300_000}}, {}, "262144"),
        (
            {"image": IMAGE, "env": [{"name": "A", "value": "1"}]},
            {"secrets": {"A": "k8s:b/c"}},
            "'env.A' is set twice",
        ),
        (
            {"image": IMAGE, "env": [{"name": "JUPYTER_BLOCKS_ATTEMPT", "value": "1"}]},
            {},
            "is set twice",
        ),
        (
            {"image": IMAGE, "resources": {"limits": {"cpu": 1}, "requests": {"cpu": "1500m"}}},
            {},
            "more than its limit of 1",
        ),
    ],
)
def test_requests_that_a_cluster_would_refuse(
    settings: dict[str, Any], changes: dict[str, Any], words: str
) -> None:
    """They are found before anything is sent."""
    task = replace(TASK, **changes)
    problems = request_problems(task, made(settings, **changes))
    assert words in " ".join(problem.message for problem in problems)


def test_retries_of_kubernetes_are_ignored_and_said_to_be() -> None:
    """A project of Mage's that sets `backoff_limit` still runs."""
    settings = {"image": IMAGE, "job": {"backoff_limit": 3}}
    backend = KubernetesBackend(ClusterClient(settings), settings)
    task = replace(TASK, executor_config=settings)
    (problem,) = backend.check(task, backend.request(task, COMMAND))
    assert (problem.severity, "backoff_limit: 3" in problem.message) == ("warning", True)


def test_settings_of_a_file_come_first(tmp_path: Path) -> None:
    """Mage's `config_file` is read, and what metadata.yaml says wins over it."""
    text = "container: {image: a, env: [{name: A, value: '1'}]}\nmetadata: {namespace: from-file}\n"
    (tmp_path / "k8s.yaml").write_text(text, "utf-8")
    settings = {"config_file": "k8s.yaml", "image": "b", "env": [{"name": "B", "value": "2"}]}
    found = read_settings(settings, str(tmp_path), {})
    assert (found.namespace, found.container["image"]) == ("from-file", "b")
    assert [item["name"] for item in found.container["env"]] == ["A", "B"]
    by_variable = read_settings({}, str(tmp_path), {"K8S_CONFIG_FILE": "k8s.yaml"})
    assert by_variable.container["image"] == "a"


def test_names_of_runs_fit_into_labels() -> None:
    """A readable one stays as it is."""
    assert run_label(TASK.run_id) == TASK.run_id
    assert len(run_label("Lauf Nr. 5 " * 20)) == 26


@pytest.mark.parametrize(
    ("text", "number"), [("500m", 0.5), ("2", 2), ("1Gi", 2**30), ("1k", 1000), ("1.5", 1.5)]
)
def test_quantities(text: str, number: float) -> None:
    """As Kubernetes writes them."""
    assert parse_quantity(text) == number


def test_every_setting_is_documented() -> None:
    """The page has them all."""
    text = PAGE.read_text("utf-8")
    assert [key for key in SETTINGS if f"`{key}`" not in text] == []


def test_the_documented_role_grants_what_is_checked() -> None:
    """Its first rules are what cannot be done without, the others what is worth having."""
    (role,) = re.findall(r"```yaml\n(apiVersion: rbac.*?)```", PAGE.read_text("utf-8"), re.S)
    granted = [
        (verb, group, resource)
        for rule in yaml.safe_load(role)["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    ]
    rights = [(right.verb, right.group, right.resource) for right in (*RIGHTS, *OPTIONAL_RIGHTS)]
    assert granted == rights
