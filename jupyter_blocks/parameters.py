"""Runtime variables: from the command line, typed by the pipeline's defaults, checked, complete.

Values are plain JSON. A name or a value that makes no sense is an error before anything runs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from jupyter_blocks.errors import UsageError
from jupyter_blocks.pipeline import Pipeline

__all__ = ["parse_runtime_vars", "resolve_parameters"]

_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_RESERVED = frozenset({"execution_date", "ds", "hr", "env", "event", "execution_partition"})


def parse_runtime_vars(text: str) -> dict[str, Any]:
    """Read the JSON object of `--runtime-vars`; raises `UsageError` saying what is wrong."""
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(
            f"--runtime-vars is not valid JSON: {error.msg} at column {error.colno} of {text!r}.",
            hint="""Write it like --runtime-vars '{"month": 1}'.""",
        ) from None
    if not isinstance(values, dict):
        raise UsageError(
            f"--runtime-vars must be a JSON object, not {_kind(values)}.",
            hint="""Write it like --runtime-vars '{"month": 1}'.""",
        )
    return values


def resolve_parameters(
    root: Path,
    pipeline: Pipeline,
    runtime_vars: Mapping[str, Any] | None = None,
    params: Iterable[str] = (),
) -> dict[str, Any]:
    """All runtime variables of a run: the pipeline's defaults, overridden by what was given.

    `params` are `NAME=VALUE` texts, read as the type of the default; `runtime_vars` are JSON
    values, whose types must agree with the defaults of a notebook's parameters cell. Raises
    `UsageError`.
    """
    given: dict[str, Any] = {}
    for name, value in (runtime_vars or {}).items():
        _check_name(root, pipeline, name)
        given[name] = _checked(pipeline, name, value)
    for text in params:
        name, equals, value_text = text.partition("=")
        if not equals or not name:
            raise UsageError(f"--param {text}: write it as NAME=VALUE.")
        _check_name(root, pipeline, name)
        given[name] = _parsed(name, value_text, pipeline.variables.get(name))
    return {**pipeline.variables, **given}


def _check_name(root: Path, pipeline: Pipeline, name: str) -> None:
    if name in pipeline.variables or name in _RESERVED:
        return
    if pipeline.notebook is None and _is_mentioned(root, pipeline, name):
        return
    known = sorted(pipeline.variables)
    import difflib

    close = difflib.get_close_matches(name, known, 1)
    hint = f"Did you mean '{close[0]}'?" if close else _known(known)
    raise UsageError(
        f"Pipeline '{pipeline.name}' has no parameter '{name}'.", pipeline=pipeline.name, hint=hint
    )


def _known(names: list[str]) -> str:
    if names:
        return f"Its parameters: {', '.join(names)}."
    return "It has none; a notebook gets them from a cell tagged 'parameters'."


def _is_mentioned(root: Path, pipeline: Pipeline, name: str) -> bool:
    """Whether a hand-written block reads the name: Mage needs no declaration of its variables."""
    word = re.compile(rf"\b{re.escape(name)}\b")
    for block in pipeline.blocks:
        path = root / block.file
        text = block.content or (path.read_text("utf-8", "replace") if path.is_file() else "")
        if word.search(text):
            return True
    return False


def _checked(pipeline: Pipeline, name: str, value: Any) -> Any:
    """The JSON value, if its type agrees with the default of a notebook parameter."""
    default = pipeline.variables.get(name)
    if pipeline.notebook is None or default is None or value is None:
        return value
    if isinstance(default, float) and _is_int(value):
        return float(value)
    if type(value) is not type(default):
        raise UsageError(
            f"Parameter '{name}' is {_kind(default)} (default {default!r}), "
            f"but {value!r} is {_kind(value)}.",
            pipeline=pipeline.name,
        )
    return value


def _parsed(name: str, text: str, default: Any) -> Any:
    """The value of a `NAME=VALUE` text, read as the type of the default."""
    try:
        return _parse(text, default)
    except ValueError:
        raise UsageError(
            f"Parameter '{name}' is {_kind(default)} (default {default!r}), "
            f"but {text!r} cannot be read as one."
        ) from None


def _parse(text: str, default: Any) -> Any:
    if isinstance(default, bool):
        if text.lower() not in _BOOLEANS:
            raise ValueError
        return _BOOLEANS[text.lower()]
    if isinstance(default, str):
        return text
    if isinstance(default, int | float):
        return type(default)(text)
    if default is None:
        try:
            return json.loads(text)
        except ValueError:
            return text
    value = json.loads(text)
    if type(value) is not type(default):
        raise ValueError
    return value


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _kind(value: object) -> str:
    names = {
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        str: "a text",
        list: "a list",
        dict: "an object",
        type(None): "null",
    }
    return names.get(type(value), type(value).__name__)
