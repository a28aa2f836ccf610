"""The operations of the fake of ECS, and those of its neighbours that the executor asks."""

from __future__ import annotations

import json
import threading
import time
import uuid
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jupyter_blocks.testing.containers import ContainerHost
from jupyter_blocks.testing.fake_ecs_rules import AwsError, check_definition, check_run
from jupyter_blocks.testing.fake_ecs_tasks import FakeTask

__all__ = ["FakeEcsApi"]

Answer = dict[str, Any]
ONLY_FILTER = ("containerInstance", "family", "launchType", "serviceName")


@dataclass
class FakeEcsApi:
    """One account in one region; operations are methods named as in the API, after `do_`."""

    host: ContainerHost
    account: str = "123456789012"
    region: str = "us-east-1"
    clusters: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {"default": {"capacityProviders": ["FARGATE", "FARGATE_SPOT"]}}
    )
    lag_s: float = 0.15
    """How long what was done cannot be seen."""
    start_s: float = 0.05
    """How long a task is PROVISIONING."""
    stopped_ttl_s: float = 3600.0
    """How long a stopped task can be seen."""
    page_size: int = 100
    secrets: dict[str, str] = field(default_factory=dict)
    """`valueFrom` -> value, for the environment of containers."""
    placements: list[dict[str, str]] = field(default_factory=list)
    """Failures that the next calls of RunTask answer with, one each."""
    simulated: set[str] | None = None
    """Actions that IAM says are allowed; none: nobody may ask IAM."""
    images: set[str] = field(default_factory=set)
    """Tags that ECR knows, as `repository:tag`."""
    definitions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    tasks: dict[str, FakeTask] = field(default_factory=dict)
    tokens: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    """Cluster and token -> the request, and the ARN of its task."""
    lock: threading.RLock = field(default_factory=threading.RLock)

    # task definitions

    def do_register_task_definition(self, request: Mapping[str, Any]) -> Answer:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html"""
        check_definition(request)
        revisions = self.definitions.setdefault(request["family"], [])
        number = len(revisions) + 1
        content = {key: value for key, value in request.items() if key != "tags"}
        definition = {
            **content,
            "revision": number,
            "status": "ACTIVE",
            "taskDefinitionArn": self.arn(f"task-definition/{request['family']}:{number}"),
            "compatibilities": ["EC2", *request.get("requiresCompatibilities", ())],
        }
        revisions.append(definition)
        return {"taskDefinition": definition}

    def do_describe_task_definition(self, request: Mapping[str, Any]) -> Answer:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTaskDefinition.html"""
        found = self._definition(request["taskDefinition"])
        if found is None:
            raise AwsError("ClientException", "Unable to describe task definition.")
        return {"taskDefinition": found}

    def do_list_task_definitions(self, request: Mapping[str, Any]) -> Answer:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTaskDefinitions.html"""
        wanted = request.get("familyPrefix")
        arns = [
            definition["taskDefinitionArn"]
            for family, revisions in sorted(self.definitions.items())
            for definition in revisions
            if wanted in (None, family)
        ]
        return self._page("taskDefinitionArns", arns, request)

    def _definition(self, name: str) -> dict[str, Any] | None:
        name = name.rpartition("/")[2]
        family, _, revision = name.partition(":")
        revisions = self.definitions.get(family, [])
        if revision:
            return next((found for found in revisions if str(found["revision"]) == revision), None)
        return revisions[-1] if revisions else None

    # clusters

    def do_describe_clusters(self, request: Mapping[str, Any]) -> Answer:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeClusters.html"""
        clusters, failures = [], []
        for wanted in request.get("clusters", ["default"]):
            name = wanted.rpartition("/")[2]
            arn = self.arn(f"cluster/{name}")
            if name in self.clusters:
                facts = {"registeredContainerInstancesCount": 0, **self.clusters[name]}
                about = {"clusterArn": arn, "clusterName": name, "status": "ACTIVE"}
                clusters.append({**about, **facts})
            else:
                failures.append({"arn": arn, "reason": "MISSING"})
        return {"clusters": clusters, "failures": failures}

    def _cluster(self, request: Mapping[str, Any]) -> str:
        name = str(request.get("cluster", "default")).rpartition("/")[2]
        if name not in self.clusters:
            raise AwsError("ClusterNotFoundException", "Cluster not found.")
        return name

    # tasks

    def do_run_task(self, request: Mapping[str, Any]) -> Answer:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html"""
        cluster = self._cluster(request)
        definition = self._definition(request["taskDefinition"])
        if definition is None:
            raise AwsError("ClientException", "TaskDefinition not found.")
        check_run(request, definition)
        token, text = (cluster, request.get("clientToken", "")), json.dumps(request, sort_keys=True)
        if token[1] and token in self.tokens:
            return self._again(self.tokens[token], text)
        if self.placements:
            failure = self.placements.pop(0)
            arn = self.arn(f"container-instance/{cluster}/{uuid.uuid4().hex}")
            return {"tasks": [], "failures": [{"arn": arn, **failure}]}
        task = FakeTask(
            self.arn(f"task/{cluster}/{uuid.uuid4().hex}"),
            self.arn(f"cluster/{cluster}"),
            request,
            definition,
            self.region,
        )
        self.tasks[task.arn] = task
        self.tokens[token] = text, task.arn
        answer = {"tasks": [task.describe()], "failures": []}
        task.live(self.host, self.secrets, self.start_s)
        return answer

    def _again(self, known: tuple[str, str], text: str) -> Answer:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html"""
        first, arn = known
        if first != text:
            raise AwsError(
                "ConflictException",
                "The provided client token is already in use with a different RunTask request.",
                resourceIds=[arn],
            )
        return {"tasks": [self.tasks[arn].describe()], "failures": []}

    def do_describe_tasks(self, request: Mapping[str, Any]) -> Answer:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html"""
        cluster = self._cluster(request)
        if not 1 <= len(request["tasks"]) <= 100:
            raise AwsError("InvalidParameterException", "Tasks cannot be empty, nor more than 100.")
        tasks, failures = [], []
        for wanted in request["tasks"]:
            task = self._visible(cluster, wanted)
            if task is None:
                failures.append({"arn": wanted, "reason": "MISSING"})
                continue
            facts = task.describe()
            if "TAGS" in request.get("include", ()):
                facts["tags"] = list(task.request.get("tags", ()))
            tasks.append(facts)
        return {"tasks": tasks, "failures": failures}

    def do_list_tasks(self, request: Mapping[str, Any]) -> Answer:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTasks.html"""
        cluster = self._cluster(request)
        started_by, status = request.get("startedBy"), request.get("desiredStatus", "RUNNING")
        if started_by and any(name in request for name in ONLY_FILTER):
            raise AwsError("InvalidParameterException", "startedBy must be the only filter.")
        arns = [
            task.arn
            for task in list(self.tasks.values())
            if self._visible(cluster, task.arn)
            and task.desired_status == status
            and started_by in (None, task.request.get("startedBy"))
        ]
        return self._page("taskArns", arns, request)

    def do_stop_task(self, request: Mapping[str, Any]) -> Answer:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopTask.html"""
        task = self._visible(self._cluster(request), request["task"])
        if task is None:
            raise AwsError("InvalidParameterException", "The referenced task was not found.")
        if task.last_status != "STOPPED":
            task.stop(request.get("reason") or "Task stopped by user")
        return {"task": task.describe()}

    def _visible(self, cluster: str, wanted: str) -> FakeTask | None:
        name = wanted.rpartition("/")[2]
        task = self.tasks.get(self.arn(f"task/{cluster}/{name}"))
        now = time.time()
        if task is None or now - task.created_at < self.lag_s:
            return None
        if task.stopped_at is not None and now - task.stopped_at > self.stopped_ttl_s:
            return None
        return task

    # neighbours

    def do_get_caller_identity(self, _request: Mapping[str, Any]) -> Answer:
        """https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html"""
        return {"Arn": self.user, "UserId": "AIDAEXAMPLE", "Account": self.account}

    def do_simulate_principal_policy(self, request: Mapping[str, Any]) -> Answer:
        """https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html"""
        if self.simulated is None:
            raise self.denial("iam:SimulatePrincipalPolicy", self.user)
        names = [value for key, value in request.items() if key.startswith("ActionNames.")]
        resource = request.get("ResourceArns.member.1", "*")
        results = [
            {
                "EvalActionName": name,
                "EvalResourceName": resource,
                "EvalDecision": "allowed" if name in self.simulated else "implicitDeny",
            }
            for name in names
        ]
        return {"EvaluationResults": results, "IsTruncated": False}

    def do_describe_images(self, request: Mapping[str, Any]) -> Answer:
        """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImages.html"""
        name = f"{request['repositoryName']}:{request['imageIds'][0].get('imageTag')}"
        if name not in self.images:
            raise AwsError("ImageNotFoundException", f"The image {name} does not exist.")
        return {"imageDetails": [{"repositoryName": request["repositoryName"]}]}

    def do_get_log_events(self, request: Mapping[str, Any]) -> Answer:
        """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html"""
        name = request["logStreamName"].rpartition("/")[2]
        tasks = [task for task in self.tasks.values() if task.arn.endswith(f"/{name}")]
        if not tasks or tasks[0].container is None:
            raise AwsError("ResourceNotFoundException", "The specified log stream does not exist.")
        lines = tasks[0].container.output().splitlines()[-int(request.get("limit", 100)) :]
        now = int(time.time() * 1000)
        return {
            "events": [{"timestamp": now, "message": line, "ingestionTime": now} for line in lines]
        }

    # what they share

    @property
    def user(self) -> str:
        """ARN of who asks."""
        return f"arn:aws:iam::{self.account}:user/tester"

    def arn(self, resource: str) -> str:
        """The full name of something in ECS."""
        return f"arn:aws:ecs:{self.region}:{self.account}:{resource}"

    def denial(self, action: str, resource: str) -> AwsError:
        """The error of one who may not do this, in the words of IAM."""
        return AwsError(
            "AccessDeniedException",
            f"User: {self.user} is not authorized to perform: {action} on resource: {resource} "
            f"because no identity-based policy allows the {action} action",
        )

    def _page(self, name: str, items: list[str], request: Mapping[str, Any]) -> Answer:
        """One page, and a token for the next one that is good for the same question only."""
        question = {
            key: value for key, value in request.items() if key not in ("nextToken", "maxResults")
        }
        about, start = json.dumps([name, question], sort_keys=True), 0
        if request.get("nextToken"):
            start = _start_of_page(request["nextToken"], about)
        size = min(request.get("maxResults") or 100, self.page_size)
        answer: Answer = {name: items[start : start + size]}
        if start + size < len(items):
            token = json.dumps([about, start + size]).encode()
            answer["nextToken"] = b64encode(token).decode("ascii")
        return answer


def _start_of_page(token: str, about: str) -> int:
    """Where the page begins that a token names."""
    try:
        asked, start = json.loads(b64decode(token))
    except ValueError:
        asked, start = "", 0
    if asked != about:
        raise AwsError("InvalidParameterException", "Invalid token.")
    return int(start)
