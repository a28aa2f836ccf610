"""The OpenAPI file, and whatever a machine can think of to send to a server that follows it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from openapi_spec_validator import validate

from jupyter_blocks.server.contract import document
from tests.projects import block, write_project
from tests.server.conftest import run
from tests.server.processes import served

schemathesis = pytest.importorskip(
    "schemathesis", reason="it wants newer versions than the oldest we run with"
)
_SKIPPED = {"startRun"}
"""Starts a process for each request that is right."""

OPERATIONS = [
    (path, method)
    for path, verbs in document()["paths"].items()
    for method, operation in verbs.items()
    if operation["operationId"] not in _SKIPPED
]


def test_the_file_is_valid_openapi() -> None:
    """Of version 3.1, so that clients can be generated from it."""
    validate(document())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """Address and headers of a Jupyter server in a process of its own, on a project that ran."""
    root = tmp_path_factory.mktemp("root")
    run(write_project(root / "shop", [block("table"), block("count", upstream=["table"])]))
    with served(root) as found:
        yield found.address, found.headers


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_odd_requests_get_described_answers(
    path: str, method: str, server: tuple[str, dict[str, str]]
) -> None:
    """Right ones and wrong ones: never a 500, and always an answer as the file says."""
    address, headers = server
    found = importlib.import_module("schemathesis.specs.openapi.checks")
    checks = (
        importlib.import_module("schemathesis.checks").not_a_server_error,
        found.status_code_conformance,
        found.content_type_conformance,
        found.response_schema_conformance,
    )
    schema = schemathesis.openapi.from_dict(document())
    schema.config.update(base_url=address)

    @settings(
        max_examples=12,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=schema[path][method.upper()].as_strategy())
    def attack(case: Any) -> None:
        response = case.call(headers=headers, timeout=20)
        case.validate_response(response, checks=checks)

    attack()
