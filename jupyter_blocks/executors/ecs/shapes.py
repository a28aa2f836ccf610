"""The model of a request that AWS itself publishes, as botocore brings it: nobody is asked."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

__all__ = ["answer_errors", "operations", "request_errors", "unknown_words"]


def request_errors(service: str, operation: str, parameters: Mapping[str, Any]) -> list[str]:
    """What of a request is unknown, missing, or of the wrong type; one sentence each."""
    return _errors(_model(service).operation_model(operation).input_shape, parameters)


def answer_errors(service: str, operation: str, answer: Mapping[str, Any]) -> list[str]:
    """The same, of an answer."""
    return _errors(_model(service).operation_model(operation).output_shape, answer)


def unknown_words(service: str, operation: str, parameters: Mapping[str, Any]) -> list[str]:
    """Texts that are none of those the installed model lists; a newer one may know them."""
    return _unknown(_model(service).operation_model(operation).input_shape, parameters, "")


def operations(service: str) -> list[str]:
    """Names of the operations of a service."""
    return [str(name) for name in _model(service).operation_names]


def _errors(shape: Any, value: Mapping[str, Any]) -> list[str]:
    from botocore.validate import ParamValidator

    report = ParamValidator().validate(value, shape).generate_report()
    return [line.strip() for line in report.splitlines() if line.strip()]


def _unknown(shape: Any, value: Any, path: str) -> list[str]:
    if shape.type_name == "structure" and isinstance(value, Mapping):
        return [
            error
            for name, member in shape.members.items()
            if name in value
            for error in _unknown(member, value[name], f"{path}.{name}".lstrip("."))
        ]
    if shape.type_name == "list" and isinstance(value, list | tuple):
        return [
            error
            for index, item in enumerate(value)
            for error in _unknown(shape.member, item, f"{path}[{index}]")
        ]
    words = getattr(shape, "enum", None)
    if words and isinstance(value, str) and value not in words:
        return [f"{path}: '{value}' is none of {', '.join(words)}"]
    return []


@cache
def _model(service: str) -> Any:
    from botocore.session import Session

    return Session().get_service_model(service)
