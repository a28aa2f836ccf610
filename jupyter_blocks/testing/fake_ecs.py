"""A fake of AWS ECS that runs what it is asked to run: the wire protocol over loopback, for boto3.

    with fake_ecs(ContainerHost({"registry.test/blocks:1": worker_image()})) as fake:
        boto3.client("ecs", endpoint_url=fake.url, region_name=fake.region)

ECS, ECR and CloudWatch Logs speak JSON 1.1, STS and IAM the query protocol; requests and answers
are held against AWS's own models.

https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from jupyter_blocks.executors.ecs.shapes import answer_errors, operations
from jupyter_blocks.testing.containers import ContainerHost
from jupyter_blocks.testing.fake_ecs_api import FakeEcsApi
from jupyter_blocks.testing.fake_ecs_rules import AwsError, check_shape
from jupyter_blocks.testing.fake_ecs_tasks import FakeTask
from jupyter_blocks.testing.loopback import LoopbackHandler, LoopbackServer
from jupyter_blocks.testing.remote_contract import Cloud

__all__ = ["EcsFault", "FakeEcs", "fake_ecs"]

_TARGETS = {
    "AmazonEC2ContainerServiceV20141113": "ecs",
    "AmazonEC2ContainerRegistry_V20150921": "ecr",
    "Logs_20140328": "logs",
}
_VERSIONS = {"2011-06-15": "sts", "2010-05-08": "iam"}
_KINDS = {"RunTask": "create", "ListTasks": "list", "DescribeTasks": "list", "StopTask": "stop"}
_CODES = {
    400: "ThrottlingException",
    429: "ThrottlingException",
    500: "ServerException",
    503: "ServiceUnavailable",
}
_SIGNED = re.compile(r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/\d{8}/[^/]*/[^/]+/aws4_request, ")


@dataclass
class EcsFault:
    """What befalls one of the next calls."""

    when: str
    """`create`, `list`, `stop`, `any`, or the name of an operation."""
    code: str
    """Of the error; empty: the connection is cut instead."""
    status: int = 400
    done: bool = False
    """Whether the call is carried out all the same, and only its answer lost."""
    message: str = "injected"


@dataclass
class FakeEcs(Cloud):
    """The service, as a test sees it."""

    api: FakeEcsApi = field(init=False)
    url: str = ""
    faults: list[EcsFault] = field(default_factory=list)
    denied: set[str] = field(default_factory=set)
    """Actions that the caller may not do, such as `ecs:RunTask`."""
    latency_s: float = 0.0
    calls: Counter[str] = field(default_factory=Counter)
    """How often each operation was called."""
    keys: set[str] = field(default_factory=set)
    """Ids of the keys that are known; none: all are."""

    def __post_init__(self) -> None:
        """Make the account."""
        self.api = FakeEcsApi(self.host)

    def settings(self) -> dict[str, Any]:
        """A section `ecs_config` for it."""
        return {
            "region": self.api.region,
            "endpoint_url": self.url,
            "subnets": ["subnet-0123456789abcdef0"],
            "security_groups": ["sg-0123456789abcdef0"],
        }

    def fail(self, calls: int, status: int, *, when: str = "any", done: bool = False) -> None:
        """Answer the next calls with an error of this status, as AWS words it."""
        # AWS throttles with 400 and a code.
        sent = 400 if status == 429 else status
        self.faults += [EcsFault(when, _CODES[status], sent, done) for _ in range(calls)]

    def cut(self, calls: int, *, when: str = "any", done: bool = False) -> None:
        """Answer the next calls with nothing at all."""
        self.faults += [EcsFault(when, "", 0, done) for _ in range(calls)]

    def lose(self, attempt_id: str) -> None:
        """Take the spot machine of an attempt away."""
        self.task(attempt_id).interrupt("SpotInterruption", "Your Spot Task was interrupted.")

    def vanish(self, attempt_id: str) -> None:
        """Kill a task and forget that there ever was one."""
        task = self.task(attempt_id)
        task.interrupt("TerminationNotice", "gone")
        with self.api.lock:
            del self.api.tasks[task.arn]

    def jobs(self) -> int:
        """How many tasks were ever started."""
        return len(self.api.tokens)

    def task(self, attempt_id: str) -> FakeTask:
        """The task of an attempt."""
        with self.api.lock:
            tasks = list(self.api.tasks.values())
        return next(task for task in tasks if task.request.get("startedBy") == attempt_id)

    # calls

    def answer(self, headers: Mapping[str, str], body: str) -> tuple[int, str, str] | None:
        """Status, content type and body for a request; none: the connection is cut."""
        time.sleep(self.latency_s)
        self.requests.append(body)
        service, fault = "ecs", None
        try:
            service, operation, request = _parsed(headers, body)
            self.calls[operation] += 1
            fault = self._fault(operation)
            if fault is None or fault.done:
                self._authorize(headers, service, operation, request)
                answer = self._carried_out(service, operation, request)
            if fault is None:
                return _encoded(service, operation, answer)
            if not fault.code:
                return None
            raise AwsError(fault.code, fault.message, fault.status)
        except AwsError as error:
            return _encoded_error(service, error)

    def _fault(self, operation: str) -> EcsFault | None:
        with self.api.lock:
            for fault in self.faults:
                if fault.when in ("any", operation, _KINDS.get(operation)):
                    self.faults.remove(fault)
                    return fault
        return None

    def _authorize(
        self, headers: Mapping[str, str], service: str, operation: str, request: Mapping[str, Any]
    ) -> None:
        signed = _SIGNED.match(headers.get("Authorization", ""))
        if signed is None:
            raise AwsError("MissingAuthenticationTokenException", "Missing Authentication Token")
        if self.keys and signed["key"] not in self.keys:
            code = "InvalidClientTokenId" if service == "sts" else "UnrecognizedClientException"
            raise AwsError(code, "The security token included in the request is invalid.", 403)
        if f"{service}:{operation}" in self.denied:
            resource = str(request.get("taskDefinition", "*"))
            if ":" not in resource and resource != "*":
                resource = self.api.arn(f"task-definition/{resource}:1")
            raise self.api.denial(f"{service}:{operation}", resource)
        for role in _passed_roles(request):
            if "iam:PassRole" in self.denied:
                raise self.api.denial("iam:PassRole", role)

    def _carried_out(
        self, service: str, operation: str, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        method = getattr(self.api, f"do_{_snake(operation)}", None)
        if method is None:
            raise AwsError("UnknownOperationException", operation)
        if service not in _VERSIONS.values():
            check_shape(service, operation, request)
        with self.api.lock:
            answer: dict[str, Any] = method(request)
        errors = answer_errors(service, operation, answer)
        if errors:
            raise AwsError("ServerException", f"the fake answers nonsense: {errors}", 500)
        return answer


@contextmanager
def fake_ecs(host: ContainerHost) -> Iterator[FakeEcs]:
    """Serve one while the `with` block runs; its containers end with it."""
    fake = FakeEcs(host)
    with closing(host), LoopbackServer(_Handler, fake=fake) as server:
        fake.url = server.url
        yield fake


class _Handler(LoopbackHandler):
    fake: FakeEcs

    def _serve(self) -> None:
        headers = {name.title(): value for name, value in self.headers.items()}
        answer = self.fake.answer(headers, self.body().decode("utf-8"))
        if answer is None:
            self.hang_up()
            return
        status, kind, text = answer
        number = f"request-{len(self.fake.requests)}"
        self.reply(status, text.encode(), {"Content-Type": kind, "x-amzn-RequestId": number})

    do_POST = _serve  # noqa: N815 - a name that http.server wants


def _parsed(headers: Mapping[str, str], body: str) -> tuple[str, str, dict[str, Any]]:
    """Service, operation and parameters of a request."""
    kind = headers.get("Content-Type", "")
    prefix, _, operation = headers.get("X-Amz-Target", "").partition(".")
    if kind == "application/x-amz-json-1.1" and prefix in _TARGETS:
        service = _TARGETS[prefix]
        if operation not in operations(service):
            raise AwsError("UnknownOperationException", operation)
        return service, operation, json.loads(body)
    fields = dict(parse_qsl(body, keep_blank_values=True))
    if kind.startswith("application/x-www-form-urlencoded") and fields.get("Version") in _VERSIONS:
        # Lists are `Names.member.1`; the few operations here read them so.
        fields.setdefault("Action", "")
        return _VERSIONS[fields["Version"]], fields["Action"], fields
    raise AwsError("UnknownOperationException", f"{kind} {prefix}", 404)


def _passed_roles(request: Mapping[str, Any]) -> list[str]:
    places = [request, request.get("overrides", {})]
    return [
        str(place[key])
        for place in places
        if isinstance(place, Mapping)
        for key in ("executionRoleArn", "taskRoleArn")
        if key in place
    ]


def _encoded(service: str, operation: str, answer: Mapping[str, Any]) -> tuple[int, str, str]:
    if service in _TARGETS.values():
        return 200, "application/x-amz-json-1.1", json.dumps(answer)
    body = f"<{operation}Result>{_xml(answer)}</{operation}Result>"
    metadata = "<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>"
    return 200, "text/xml", f"<{operation}Response>{body}{metadata}</{operation}Response>"


def _encoded_error(service: str, error: AwsError) -> tuple[int, str, str]:
    if service in _TARGETS.values():
        document = {"__type": error.code, "message": str(error), **error.members}
        return error.status, "application/x-amz-json-1.1", json.dumps(document)
    code = error.code.removesuffix("Exception") if error.code.startswith("Access") else error.code
    about = f"<Type>Sender</Type><Code>{code}</Code><Message>{escape(str(error))}</Message>"
    text = f"<ErrorResponse><Error>{about}</Error><RequestId>1</RequestId></ErrorResponse>"
    return max(error.status, 400), "text/xml", text


def _xml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "".join(f"<{key}>{_xml(item)}</{key}>" for key, item in value.items())
    if isinstance(value, list):
        return "".join(f"<member>{_xml(item)}</member>" for item in value)
    return escape(str(value).lower() if isinstance(value, bool) else str(value))


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
