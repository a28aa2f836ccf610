"""The OpenAPI file as code: checks requests before they are looked at, and answers in tests.

`openapi.yaml` is written once and held to twice: a request that does not fit is refused with the
place that is wrong, and the tests hold every answer to its schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from jupyter_blocks.server.faults import RequestError
from jupyter_blocks.yamlfile import parse_yaml

__all__ = ["answer_problem", "checked_body", "checked_parameters", "document"]

_URI = "urn:jupyter-blocks"


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document."""
    file = Path(__file__).with_name("openapi.yaml")
    loaded: dict[str, Any] = parse_yaml(file.read_text("utf-8"), file.name).value
    return loaded


@cache
def _registry() -> Registry[Any]:
    registry: Registry[Any] = Registry().with_resource(
        _URI, DRAFT202012.create_resource(document())
    )
    return registry


def _pointed(value: Any) -> Any:
    """`value`, or what it refers to."""
    while isinstance(value, Mapping) and "$ref" in value:
        target: Any = document()
        for part in str(value["$ref"]).removeprefix("#/").split("/"):
            target = target[part]
        value = target
    return value


@cache
def _validator(*pointer: str) -> Draft202012Validator:
    path = "/".join(part.replace("~", "~0").replace("/", "~1") for part in pointer)
    path = path.replace("{", "%7B").replace("}", "%7D")
    return Draft202012Validator({"$ref": f"{_URI}#/{path}"}, registry=_registry())


def _problem(validator: Draft202012Validator, value: Any) -> str:
    error = best_match(validator.iter_errors(value))
    if error is None:
        return ""
    place = "".join(f"[{part!r}]" for part in error.absolute_path)
    return f"{place}: {error.message[:300]}" if place else error.message[:300]


def checked_body(path: str, method: str, body: Any) -> dict[str, Any]:
    """The body of a request, or a `RequestError` naming what is wrong with it."""
    pointer = ("paths", path, method, "requestBody", "content", "application/json", "schema")
    problem = _problem(_validator(*pointer), body)
    if problem:
        raise RequestError(400, f"The body of the request is wrong: {problem}.")
    checked: dict[str, Any] = body
    return checked


def checked_parameters(path: str, method: str, given: Mapping[str, list[str]]) -> dict[str, Any]:
    """Parameters of path and query by name, as the types that the file says, defaults included."""
    operation = document()["paths"][path]
    declared = [*operation.get("parameters", ()), *operation[method].get("parameters", ())]
    checked: dict[str, Any] = {}
    for parameter in map(_pointed, declared):
        name, schema = parameter["name"], _pointed(parameter["schema"])
        if name not in given:
            if parameter.get("required"):
                raise RequestError(400, f"The parameter '{name}' is missing.")
            if "default" in schema:
                checked[name] = schema["default"]
            continue
        checked[name] = _read(name, given[name], schema)
    return checked


def _read(name: str, texts: list[str], schema: Mapping[str, Any]) -> Any:
    if schema.get("type") == "array":
        value: Any = [_scalar(text, _pointed(schema["items"])) for text in texts]
    else:
        value = _scalar(texts[-1], schema)
    problem = _problem(Draft202012Validator(schema, registry=_registry()), value)
    if problem:
        raise RequestError(400, f"The parameter '{name}' is wrong: {problem}.")
    return value


def _scalar(text: str, schema: Mapping[str, Any]) -> Any:
    kind = schema.get("type")
    if (
        kind == "integer"
        and text.isascii()
        and text.removeprefix("-").isdecimal()
        and len(text) < 20
    ):
        return int(text)
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    return text


def answer_problem(path: str, method: str, status: int, body: Any) -> str:
    """What is wrong with the JSON of an answer; empty: nothing."""
    operation = document()["paths"][path][method]
    responses = operation["responses"]
    key = str(status) if str(status) in responses else "default"
    if key not in responses:
        return f"status {status} is not described"
    if "$ref" in responses[key]:
        name = responses[key]["$ref"].rpartition("/")[2]
        pointer: tuple[str, ...] = ("components", "responses", name)
    else:
        pointer = ("paths", path, method, "responses", key)
    return _problem(_validator(*pointer, "content", "application/json", "schema"), body)
