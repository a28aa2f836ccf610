"""What AWS says before a run about credentials, cluster, task definition, image, permissions.

Everything is only looked at. Permissions to start tasks cannot be tried without starting one: IAM
is asked what it would say, where that is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_blocks.executors.ecs.clients import AwsClients
from jupyter_blocks.executors.ecs.failure import aws_failure, error_code
from jupyter_blocks.executors.ecs.request import FAMILY_PREFIX
from jupyter_blocks.executors.ecs.settings import EcsSettings
from jupyter_blocks.executors.jobs import FailureKind, Finding

__all__ = ["diagnose"]

_ECR = re.compile(
    r"(?P<registry>\d+)\.dkr\.ecr\.(?P<region>[\w-]+)\.amazonaws\.com(\.cn)?/(?P<name>[^:@]+)"
    r"(?::(?P<tag>[^@]+))?(?:@(?P<digest>.+))?"
)
_ROLE = re.compile(r"arn:(?P<partition>[\w-]+):sts::(?P<account>\d+):assumed-role/(?P<role>[^/]+)/")
_DENIED = frozenset({"AccessDenied", "AccessDeniedException"})


def diagnose(clients: AwsClients, settings: EcsSettings) -> list[Finding]:
    """All findings; only one if AWS does not know who asks."""
    looking = _Looking(clients, settings)
    who = looking.credentials()
    if not who.is_good:
        return [who]
    return [
        who,
        *looking.looked_at("cluster", looking.cluster),
        *looking.looked_at("task definition", looking.definition),
        *looking.looked_at("image", looking.image),
        *looking.looked_at("network", looking.network),
        *looking.looked_at("permission to list tasks", looking.listing),
        *looking.looked_at("permissions", looking.permissions),
    ]


@dataclass
class _Looking:
    clients: AwsClients
    settings: EcsSettings
    who: str = ""
    """ARN of who asks."""
    account: str = ""

    def credentials(self) -> Finding:
        """Who asks."""
        try:
            answer = self.clients("sts").get_caller_identity()
        except Exception as error:  # whatever boto3 raises
            return Finding("credentials", False, aws_failure(error).detail)
        self.who, self.account = str(answer["Arn"]), str(answer["Account"])
        region = self.clients("ecs").meta.region_name
        return Finding("credentials", True, f"{self.who}, region {region}")

    def looked_at(self, what: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
        """The findings of one look; an error of AWS is a finding."""
        try:
            yield from look()
        except Exception as error:  # whatever boto3 raises
            yield Finding(what, False, aws_failure(error).detail)

    def cluster(self) -> Iterator[Finding]:
        """That it exists, is active, and has what tasks are to run on."""
        name = self.settings.cluster
        clusters = self.clients("ecs").describe_clusters(clusters=[name])["clusters"]
        status = str(clusters[0]["status"]) if clusters else "not there"
        if status != "ACTIVE":
            hint = "Create it (`aws ecs create-cluster`), or set 'cluster' and 'region'."
            yield Finding("cluster", False, f"the cluster '{name}' is {status.lower()}", hint)
            return
        yield Finding("cluster", True, str(clusters[0].get("clusterArn", name)))
        yield from self._machines(clusters[0])

    def _machines(self, cluster: Mapping[str, Any]) -> Iterator[Finding]:
        providers = {*cluster.get("capacityProviders", ())}
        wanted = [
            str(item.get("capacityProvider", ""))
            for item in self.settings.capacity_provider_strategy
        ]
        for name in wanted:
            if name not in providers:
                detail = f"the cluster has no capacity provider '{name}'"
                hint = "Add it with `aws ecs put-cluster-capacity-providers`."
                yield Finding("capacity provider", False, detail, hint)
        if self.settings.launch_type != "EC2" or providers:
            return
        if not cluster.get("registeredContainerInstancesCount"):
            hint = "Start machines for the cluster, or set 'launch_type: FARGATE'."
            yield Finding("machines", False, "the cluster has no machines", hint)

    def definition(self) -> Iterator[Finding]:
        """That the user's task definition is there and fits."""
        what, family = "task definition", self.settings.task_definition
        if not family:
            yield Finding(what, True, f"one named {FAMILY_PREFIX}... is made for the image")
            return
        found = self.clients("ecs").describe_task_definition(taskDefinition=family)
        definition = found["taskDefinition"]
        arn = str(definition["taskDefinitionArn"])
        wrong = [Finding(what, False, *words) for words in self._misfits(definition, arn)]
        yield from wrong or [Finding(what, True, arn)]

    def _misfits(self, definition: Mapping[str, Any], arn: str) -> Iterator[tuple[str, str]]:
        """What is wrong with the user's task definition, and what to do."""
        names = [container["name"] for container in definition["containerDefinitions"]]
        if self.settings.container not in names:
            hint = f"Set 'container_name' to one of: {', '.join(names)}."
            yield f"{arn} has no container '{self.settings.container}'", hint
        kinds = definition.get("compatibilities", ())
        if self.settings.is_fargate and kinds and "FARGATE" not in kinds:
            hint = "Register it with FARGATE among its requiresCompatibilities."
            yield f"{arn} is not for Fargate", hint
        if definition.get("networkMode") == "awsvpc" and not self._has_network():
            hint = "Set 'subnets' under 'ecs_config'."
            yield f"{arn} needs a network (networkMode awsvpc)", hint

    def image(self) -> Iterator[Finding]:
        """That an image of ECR is there; other registries cannot be asked."""
        image = self.settings.image
        if not image:
            if not self.settings.task_definition:
                hint = "Set 'image' under 'ecs_config' (`jupyter blocks image` makes one)."
                yield Finding("image", False, "there is none", hint)
            return
        match = _ECR.fullmatch(image)
        if match is None:
            yield Finding("image", True, f"whether {image} is there shows when a task starts")
            return
        wanted = (
            {"imageDigest": match["digest"]}
            if match["digest"]
            else {"imageTag": match["tag"] or "latest"}
        )
        try:
            self.clients("ecr").describe_images(
                registryId=match["registry"], repositoryName=match["name"], imageIds=[wanted]
            )
        except Exception as error:
            if error_code(error) in _DENIED:
                yield Finding("image", True, "cannot be known without ecr:DescribeImages")
                return
            hint = "Push it, or check 'image' and 'region'."
            yield Finding("image", False, aws_failure(error).detail, hint)
            return
        yield Finding("image", True, image)

    def network(self) -> Iterator[Finding]:
        """That there is one where tasks need it."""
        if self.settings.is_fargate and not self._has_network():
            hint = "Set 'subnets' (and 'security_groups') under 'ecs_config'."
            yield Finding("network", False, "tasks on Fargate need subnets", hint)
        elif self._has_network():
            yield Finding("network", True, ", ".join(self.settings.subnets) or "as configured")

    def listing(self) -> Iterator[Finding]:
        """Tried, as it changes nothing."""
        self.clients("ecs").list_tasks(cluster=self.settings.cluster, startedBy="jupyter-blocks")
        yield Finding("permission to list tasks", True)

    def permissions(self) -> Iterator[Finding]:
        """What IAM says about the calls that change something."""
        for actions, resources, context in self._needed():
            request: dict[str, Any] = {
                "PolicySourceArn": _principal(self.who),
                "ActionNames": list(actions),
                "ResourceArns": list(resources),
            }
            if context:
                request["ContextEntries"] = [context]
            try:
                answer = self.clients("iam").simulate_principal_policy(**request)
            except Exception as error:
                if aws_failure(error).kind is not FailureKind.PERMISSION:
                    raise
                detail = (
                    "cannot be known before a task is started: "
                    "asking needs iam:SimulatePrincipalPolicy"
                )
                yield Finding("permissions", True, detail)
                return
            for result in answer["EvaluationResults"]:
                yield _permission(result, resources)

    def _needed(self) -> Iterator[tuple[Sequence[str], Sequence[str], Mapping[str, Any] | None]]:
        """Actions, the resources they are needed for, and the context of the question."""
        settings = self.settings
        partition = self.who.split(":")[1]
        base = f"arn:{partition}:ecs:{self.clients('ecs').meta.region_name}:{self.account}"
        cluster = settings.cluster.rpartition("/")[2]
        family = settings.task_definition or f"{FAMILY_PREFIX}check"
        definition = family if family.startswith("arn:") else f"{base}:task-definition/{family}"
        if definition.rpartition("/")[2].count(":") == 0:
            definition += ":1"
        yield ("ecs:RunTask",), (definition,), None
        tasks = f"{base}:task/{cluster}/check"
        yield ("ecs:DescribeTasks", "ecs:StopTask", "ecs:TagResource"), (tasks,), None
        if not settings.task_definition:
            yield ("ecs:DescribeTaskDefinition", "ecs:RegisterTaskDefinition"), ("*",), None
        roles = [role for role in (settings.execution_role_arn, settings.task_role_arn) if role]
        if roles:
            passed = {
                "ContextKeyName": "iam:PassedToService",
                "ContextKeyValues": ["ecs-tasks.amazonaws.com"],
                "ContextKeyType": "string",
            }
            yield ("iam:PassRole",), roles, passed

    def _has_network(self) -> bool:
        return bool(self.settings.subnets or self.settings.network_configuration)


def _permission(result: Mapping[str, Any], resources: Sequence[str]) -> Finding:
    action = str(result["EvalActionName"])
    resource = str(result.get("EvalResourceName") or resources[0])
    what = f"permission {action}"
    if result["EvalDecision"] == "allowed":
        return Finding(what, True, f"on {resource}")
    if result["EvalDecision"] == "explicitDeny":
        return Finding(what, False, f"a policy denies it on {resource}")
    hint = f"Allow {action} on {resource}; docs/executors/ecs.md has the whole policy."
    return Finding(what, False, f"no policy allows it on {resource}", hint)


def _principal(who: str) -> str:
    """The role behind a session, which is what has policies."""
    match = _ROLE.match(who)
    if match is None:
        return who
    return f"arn:{match['partition']}:iam::{match['account']}:role/{match['role']}"
