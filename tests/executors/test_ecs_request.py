"""What ECS is asked to run: settings, golden requests, limits. Nobody is asked anything here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_blocks.errors import ExecutorError, Problem
from jupyter_blocks.executors.ecs.check import ecs_problems
from jupyter_blocks.executors.ecs.request import serialized_length
from jupyter_blocks.executors.ecs.settings import (
    FARGATE_SIZES,
    SETTINGS,
    EcsSettings,
    fitting_size,
)
from jupyter_blocks.executors.ecs.shapes import request_errors, unknown_words
from jupyter_blocks.testing.fake_ecs_rules import AwsError, check_definition, check_run
from tests.executors.ecscases import IMAGE, NETWORK, ROLE, request, task

GOLDEN = Path(__file__).parent / "golden"

CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "ecs_fargate": ({"image": IMAGE, **NETWORK}, {}),
    "ecs_fargate_all": (
        {
            "cluster": "analytics",
            "image": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/blocks:1",
            "cpu": 1024,
            "memory": "4 GB",
            "platform_version": "1.4.0",
            "assign_public_ip": False,
            "execution_role_arn": f"{ROLE}/ecsTaskExecutionRole",
            "task_role_arn": f"{ROLE}/blocks",
            "container_secrets": {
                "DB_PASSWORD": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:db-AbCdEf"
            },
            "log_configuration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-group": "/blocks",
                    "awslogs-region": "eu-central-1",
                    "awslogs-stream-prefix": "run",
                },
            },
            "runtime_platform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
            "ephemeral_storage_gib": 50,
            "enable_execute_command": True,
            "propagate_tags": "TASK_DEFINITION",
            "group": "blocks",
            "stop_timeout_s": 120,
            "tags": [{"key": "team", "value": "data"}],
            **NETWORK,
        },
        {},
    ),
    "ecs_spot": (
        {
            "image": IMAGE,
            "capacity_provider_strategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}],
            **NETWORK,
        },
        {"resources": {"cpu": 3, "memory_mib": 9000}},
    ),
    "ecs_own_definition": (
        {
            "task_definition": "blocks:7",
            "container_name": "worker",
            "launch_type": "FARGATE",
            "task_role_arn": f"{ROLE}/blocks",
            **NETWORK,
        },
        {},
    ),
    "ecs_ec2_gpu": (
        {
            "image": IMAGE,
            "launch_type": "EC2",
            "platform_version": "1.4.0",
            "gpu": 1,
            "placement_constraints": [
                {"type": "memberOf", "expression": "attribute:ecs.instance-type =~ g5.*"}
            ],
            "placement_strategy": [{"type": "binpack", "field": "memory"}],
        },
        {"block": "Größe: 1 & 2", "resources": {"memory_mib": 3000}},
    ),
    "ecs_block_gpu": (
        {"image": IMAGE, "capacity_provider_strategy": [{"capacityProvider": "gpus"}], "gpu": 1},
        {"resources": {"memory_mib": 16000, "gpu": 4}},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_golden_requests(name: str) -> None:
    """What is sent for a block, as it was looked over by people."""
    section, changes = CASES[name]
    expected = json.loads((GOLDEN / f"{name}.json").read_text("utf-8"))
    assert json.loads(json.dumps(request(section, **changes))) == expected


@pytest.mark.parametrize("name", CASES)
def test_golden_requests_are_what_aws_takes(name: str) -> None:
    """Neither AWS's own model nor what its documentation says has anything against them."""
    document = json.loads((GOLDEN / f"{name}.json").read_text("utf-8"))
    definition = document["definition"]
    assert request_errors("ecs", "RunTask", document["run_task"]) == []
    assert unknown_words("ecs", "RunTask", document["run_task"]) == []
    if definition is None:
        return
    assert request_errors("ecs", "RegisterTaskDefinition", definition) == []
    assert unknown_words("ecs", "RegisterTaskDefinition", definition) == []
    check_definition(definition)
    kinds = {"compatibilities": definition["requiresCompatibilities"]}
    check_run(document["run_task"], {**definition, **kinds})


def test_equal_settings_share_a_family() -> None:
    """A thousand blocks need one task definition; another image needs another."""
    section = {"image": IMAGE, **NETWORK}
    first = request(section, attempt="a" * 26)
    second = request(section, attempt="b" * 26, resources={"memory_mib": 8000})
    third = request({**section, "image": "registry.test/blocks:2"})
    assert first["definition"] == second["definition"]
    assert first["definition"]["family"] != third["definition"]["family"]


def test_platform_version_is_never_sent_for_ec2() -> None:
    """ECS refuses it there (Mage always sends one)."""
    assert "platformVersion" not in request(*CASES["ecs_ec2_gpu"][:1])["run_task"]
    section, _ = CASES["ecs_fargate_all"]
    assert request(section)["run_task"]["platformVersion"] == "1.4.0"


def test_size_is_that_of_the_task() -> None:
    """A container beside the worker's keeps its room (Mage gives both the same numbers)."""
    overrides = request({"image": IMAGE, **NETWORK})["run_task"]["overrides"]
    assert (overrides["cpu"], overrides["memory"]) == ("512", "1024")
    assert not {"cpu", "memory"} & set(overrides["containerOverrides"][0])


def test_own_task_definition_keeps_its_size() -> None:
    """Unless the project or the block asks for another."""
    section, _ = CASES["ecs_own_definition"]
    assert not {"cpu", "memory"} & set(request(section)["run_task"]["overrides"])
    asked = request(section, resources={"memory_mib": 2048})["run_task"]["overrides"]
    assert asked["memory"] == "2048"
    assert "cpu" not in asked


@pytest.mark.parametrize(
    ("cpu", "memory_mib", "size"),
    [
        (512, 1024, (512, 1024)),
        (512, 1025, (512, 2048)),
        (512, 5000, (1024, 5120)),
        (2000, 100, (2048, 4096)),
        (256, 300, (256, 512)),
        (16384, 122880, (16384, 122880)),
        (16384, 999999, (16384, 999999)),
    ],
)
def test_resources_become_the_next_size(cpu: int, memory_mib: int, size: tuple[int, int]) -> None:
    """A block says what it needs; Fargate has certain sizes."""
    assert fitting_size(cpu, memory_mib, is_fargate=True) == size
    assert fitting_size(cpu, memory_mib, is_fargate=False) == (cpu, memory_mib)


def test_all_sizes_of_the_table_are_there() -> None:
    """The fake has its own table; both are what AWS documents."""
    for cpu, memories in FARGATE_SIZES.items():
        for memory in memories:
            definition = request({"image": IMAGE, **NETWORK})["definition"]
            check_definition({**definition, "cpu": str(cpu), "memory": str(memory)})
    with pytest.raises(AwsError, match="No Fargate configuration"):
        check_definition({**definition, "cpu": "512", "memory": "1025"})


# settings


def test_an_unknown_setting_is_refused() -> None:
    """With the one that was meant."""
    with pytest.raises(ExecutorError, match=r"'subnet' is not known. Did you mean 'subnets'\?"):
        EcsSettings.read({"subnet": ["subnet-1"]})


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"cpu": "many"}, "'cpu' must be a whole number of at least 0, not 'many'"),
        ({"cpu": -1}, "'cpu' must be a whole number of at least 0, not -1"),
        ({"memory": "x GB"}, "'memory' must be a whole number of at least 0, not 'x GB'"),
        ({"subnets": {"a": 1}}, "'subnets' must be a list of texts, not a mapping"),
        ({"assign_public_ip": "maybe"}, "must be true or false, not 'maybe'"),
        ({"tags": ["a"]}, "'tags' must be a mapping of names to texts"),
        ({"network_configuration": []}, "must be a mapping, not a list"),
        ({"placement_strategy": "spread"}, "must be a list of mappings, not 'spread'"),
        ({"image": ["a"]}, "Settings of executor 'ecs': 'image' must be a text, not a list"),
    ],
)
def test_wrong_types_are_named(section: dict[str, Any], words: str) -> None:
    """By setting, with what it should be."""
    with pytest.raises(ExecutorError, match=words):
        EcsSettings.read(section)


def test_a_section_of_mage_reads_as_it_is() -> None:
    """All keys that Mage has."""
    settings = EcsSettings.read(
        {
            "task_definition": "mage",
            "container_name": "mage-container",
            "cluster": "mage",
            "subnets": ["subnet-1"],
            "security_groups": ["sg-1"],
            "assign_public_ip": True,
            "cpu": 512,
            "memory": 1024,
            "launch_type": "FARGATE",
            "enable_execute_command": False,
            "network_configuration": None,
            "tags": [],
            "wait_timeout": 600,
        }
    )
    assert (settings.container, settings.cluster, settings.memory_mib) == (
        "mage-container",
        "mage",
        1024,
    )


def test_every_setting_is_documented() -> None:
    """The page has a row for each."""
    page = (Path(__file__).parents[2] / "docs" / "executors" / "ecs.md").read_text("utf-8")
    assert [key for key in SETTINGS if f"| `{key}` |" not in page] == []


# what is refused before it is sent


def problems(
    section: dict[str, Any], project: dict[str, Any] | None = None, uri: str = "", **changes: Any
) -> list[Problem]:
    settings = EcsSettings.read(section)
    return ecs_problems(
        task(**changes),
        request(section, uri=uri, **changes),
        settings,
        EcsSettings.read(project or section),
    )


def test_good_requests_have_no_problems() -> None:
    """None of the golden ones."""
    for section, changes in CASES.values():
        assert problems(section, **changes) == []


@pytest.mark.parametrize(
    ("section", "words"),
    [
        (NETWORK, "has no image"),
        ({"image": IMAGE}, "Tasks on Fargate need a network"),
        ({"task_definition": "mine", **NETWORK}, "Which container of the task definition 'mine'"),
        (
            {"task_definition": "mine", "container_name": "c", "image": IMAGE, **NETWORK},
            "'image' and 'task_definition' exclude each other",
        ),
        (
            {
                "image": IMAGE,
                "launch_type": "FARGATE",
                "capacity_provider_strategy": [{"capacityProvider": "FARGATE"}],
                **NETWORK,
            },
            "exclude each other",
        ),
        ({"image": IMAGE, "gpu": 1, **NETWORK}, "Fargate has no GPUs"),
        ({"image": IMAGE, "launch_type": "FARGAT", **NETWORK}, "'FARGAT' is none of"),
        (
            {"image": IMAGE, "placement_strategy": [{"type": "spread"}], **NETWORK},
            "Fargate places tasks itself",
        ),
        (
            {"image": IMAGE, "launch_type": "EC2", "assign_public_ip": True, **NETWORK},
            "'assign_public_ip' is for Fargate only",
        ),
        ({"image": IMAGE, "cpu": 500, **NETWORK}, "Fargate has no tasks with 500 CPU units"),
        (
            {"image": IMAGE, "memory": 1500, **NETWORK},
            "512 CPU units and 1500 MiB of memory. With 512 CPU units it has 1024 to 4096 MiB",
        ),
        ({"image": IMAGE, "stop_timeout_s": 121, **NETWORK}, "It may be 2 to 120"),
        ({"image": IMAGE, "subnets": [f"subnet-{i}" for i in range(17)]}, "16 subnets at most"),
        (
            {"image": IMAGE, "tags": {str(i): "" for i in range(47)}, **NETWORK},
            "50 tags at most, not 51",
        ),
        ({"image": IMAGE, "tags": {"k" * 129: "v"}, **NETWORK}, "is too long"),
        (
            {"image": IMAGE, "container_secrets": {"A": "arn:aws:x"}, **NETWORK},
            "needs an execution role for 'container_secrets'",
        ),
        (
            {"image": "1.dkr.ecr.eu-west-1.amazonaws.com/a:1", **NETWORK},
            "needs an execution role for an image in ECR",
        ),
        (
            {"image": IMAGE, "enable_execute_command": True, **NETWORK},
            "'enable_execute_command' needs a role",
        ),
        (
            {"image": IMAGE, "network_configuration": {"awsvpc": {}}},
            'Unknown parameter in networkConfiguration: "awsvpc"',
        ),
    ],
)
def test_what_aws_would_refuse_is_found_first(section: dict[str, Any], words: str) -> None:
    """Settings, sizes, limits: with what to do, and where."""
    found = problems(section)
    assert words in " ".join(str(problem) for problem in found)
    assert {problem.block for problem in found} == {"load_flights"}
    assert all(problem.hint for problem in found)


def test_overrides_are_measured_as_they_are_sent() -> None:
    """8192 characters are taken, one more is not."""
    section = {"image": IMAGE, **NETWORK}
    length = serialized_length(request(section, uri="u")["run_task"]["overrides"])
    longest = "u" * (8192 - length + 1)
    assert problems(section, uri=longest) == []
    (problem,) = problems(section, uri=longest + "u")
    assert "has 8193 characters; it takes 8192" in problem.message
    definition = {**request(section)["definition"], "compatibilities": ["FARGATE"]}
    check_run(request(section, uri=longest)["run_task"], definition)
    with pytest.raises(AwsError, match="Container Overrides length must be at most 8192"):
        check_run(request(section, uri=longest + "u")["run_task"], definition)


def test_a_block_that_wants_a_gpu_of_fargate_is_told() -> None:
    """Wherever it is asked for, and by AWS too if it came so far."""
    section = {"image": IMAGE, **NETWORK}
    wishes = {"resources": {"gpu": 1}}
    (problem,) = problems(section, **wishes)
    assert "Fargate has no GPUs" in problem.message
    assert "launch_type: EC2" in problem.hint
    sent = request(section, **wishes)
    with pytest.raises(AwsError, match="GPU is not supported with FARGATE"):
        check_run(sent["run_task"], {**sent["definition"], "compatibilities": ["FARGATE"]})


def test_a_block_cannot_have_a_cluster_of_its_own() -> None:
    """Tasks of a run are looked for in one place."""
    project = {"image": IMAGE, **NETWORK}
    (problem,) = problems({**project, "cluster": "other"}, project)
    assert "'cluster' of executor 'ecs' cannot be set for a single block" in problem.message


def test_words_that_boto3_does_not_know_are_a_warning() -> None:
    """AWS may know them by now."""
    (problem,) = problems({"image": IMAGE, "propagate_tags": "TASK", **NETWORK})
    assert problem.severity == "warning"
    assert "propagateTags: 'TASK' is none of" in problem.message


def test_mages_wait_timeout_is_a_warning() -> None:
    """It made Mage start a block twice; here it has no effect, and that is said."""
    (problem,) = problems({"image": IMAGE, "wait_timeout": 600, **NETWORK})
    assert problem.severity == "warning"
    assert "has no effect" in problem.message
