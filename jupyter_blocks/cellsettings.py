"""The settings in the `jupyter_blocks` metadata of cells and of the notebook.

Checked here once, key by key, so that a typing error is reported with its cell instead of being
ignored. Written by people's editors and by the property form of the Lab extension.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from jupyter_blocks.block import RetryPolicy, block_name_problem
from jupyter_blocks.errors import Problem
from jupyter_blocks.notebook import Cell, Notebook

__all__ = [
    "METADATA_KEY",
    "CellSettings",
    "NotebookSettings",
    "merge_settings",
    "read_cell_settings",
    "read_notebook_settings",
]

METADATA_KEY = "jupyter_blocks"


@dataclass(frozen=True)
class CellSettings:
    """Settings of one block, from the metadata of its cells; none where nothing was said."""

    executor: str | None = None
    executor_config: Mapping[str, Any] | None = None
    resources: Mapping[str, Any] | None = None
    """`cpu` in cores, `memory_mib`, `gpu` as a count."""
    retries: RetryPolicy | None = None
    timeout: float | None = None
    """Seconds one attempt may take; for a sensor, seconds until it gives up waiting."""
    poll_interval: float | None = None
    """Seconds between two looks of a sensor."""
    cache: bool | None = None
    changes: tuple[str, ...] | None = None
    """Names the code changes in place although it does not look so: `y = f(df)`."""
    upstream: tuple[str, ...] | None = None
    """Blocks that must run before."""


@dataclass(frozen=True)
class NotebookSettings:
    """Settings of the whole pipeline, from the metadata of the notebook."""

    pipeline: str | None = None
    executor: str | None = None
    retries: RetryPolicy | None = None
    type: str | None = None
    description: str | None = None
    kernel: bool | None = None
    """Whether the kernel extension provides and stores values; it does unless this is false."""


_Check = Callable[[Any], Any]
"""Gives the value to keep, or raises `ValueError` with what is expected."""


def read_cell_settings(cell: Cell, notebook: str) -> tuple[CellSettings, list[Problem]]:
    """The settings of a cell and everything that is wrong with them."""
    values, messages = _read(cell.metadata, _CELL_CHECKS)
    problems = [
        Problem(code, message, hint, notebook=notebook, cell=cell.number, cell_id=cell.id)
        for code, message, hint in messages
    ]
    return CellSettings(**values), problems


def read_notebook_settings(notebook: Notebook) -> tuple[NotebookSettings, list[Problem]]:
    """The settings of a notebook and everything that is wrong with them."""
    values, messages = _read(notebook.metadata, _NOTEBOOK_CHECKS)
    problems = [
        Problem(code, f"In the metadata of the notebook: {message}", hint, notebook=notebook.name)
        for code, message, hint in messages
    ]
    return NotebookSettings(**values), problems


def merge_settings(one: CellSettings, other: CellSettings) -> tuple[CellSettings, list[str]]:
    """The settings of a block of two cells, and the keys on which the cells disagree."""
    merged: dict[str, Any] = {}
    disagreements = []
    for key in (item.name for item in fields(CellSettings)):
        mine, theirs = getattr(one, key), getattr(other, key)
        if key in ("changes", "upstream"):
            merged[key] = tuple(dict.fromkeys((*(mine or ()), *(theirs or ())))) or None
            continue
        if mine is not None and theirs is not None and mine != theirs:
            disagreements.append(key)
        merged[key] = mine if mine is not None else theirs
    return CellSettings(**merged), disagreements


def _read(
    metadata: Mapping[str, Any], checks: Mapping[str, _Check]
) -> tuple[dict[str, Any], list[tuple[str, str, str]]]:
    """Checked values, and for each bad one (code, message, hint)."""
    raw = metadata.get(METADATA_KEY)
    if raw is None:
        return {}, []
    if not isinstance(raw, dict):
        hint = 'Example: {"jupyter_blocks": {"retries": 2}}.'
        return {}, [("bad-setting", f"'{METADATA_KEY}' is not a mapping.", hint)]
    values, messages = {}, []
    for key, value in raw.items():
        check = checks.get(key)
        if check is None:
            known = f"Known settings: {', '.join(sorted(checks))}."
            messages.append(("unknown-setting", f"The setting '{key}' is unknown.", known))
            continue
        try:
            values[key] = check(value)
        except ValueError as error:
            message = f"The setting '{key}' is {value!r}; expected {error}."
            messages.append(("bad-setting", message, "Change it in the property inspector."))
    values.pop("version", None)
    return values, messages


def _text(value: Any) -> str:
    if isinstance(value, str) and value.strip():
        return value.strip()
    raise ValueError("a text")


def _mapping(value: Any) -> Mapping[str, Any]:
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return value
    raise ValueError("a mapping with texts as keys")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _seconds(value: Any) -> float:
    if _is_number(value) and 0 < value < float("inf"):
        return float(value)
    raise ValueError("a number of seconds above 0")


def _yes_no(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError("true or false")


def _names(value: Any) -> tuple[str, ...]:
    if isinstance(value, list) and all(isinstance(name, str) and name for name in value):
        return tuple(value)
    raise ValueError("a list of names")


def _block_names(value: Any) -> tuple[str, ...]:
    names = _names(value)
    if any(block_name_problem(name) for name in names):
        raise ValueError("a list of block names")
    return names


def _resources(value: Any) -> Mapping[str, Any]:
    expected = (
        "a mapping with 'cpu' (cores), 'memory_mib' and 'gpu' (whole numbers), each above 0 or "
        "left out"
    )
    if not isinstance(value, dict) or set(value) - {"cpu", "gpu", "memory_mib"}:
        raise ValueError(expected)
    if not all(_is_number(number) and number > 0 for number in value.values()):
        raise ValueError(expected)
    if not all(isinstance(value.get(key, 0), int) for key in ("memory_mib", "gpu")):
        raise ValueError(expected)
    return value


_RETRY_FIELDS = {
    "retries": "retries",
    "delay": "delay_s",
    "max_delay": "max_delay_s",
    "exponential_backoff": "exponential_backoff",
}


def _retries(value: Any) -> RetryPolicy:
    expected = (
        "a whole number from 0, or a mapping with 'retries', 'delay' and 'max_delay' (seconds), "
        "'exponential_backoff' (true or false)"
    )
    if isinstance(value, int) and not isinstance(value, bool):
        value = {"retries": value}
    if not isinstance(value, dict) or set(value) - set(_RETRY_FIELDS):
        raise ValueError(expected)
    numbers = [value[key] for key in ("retries", "delay", "max_delay") if key in value]
    if not all(_is_number(number) and number >= 0 for number in numbers):
        raise ValueError(expected)
    if not isinstance(value.get("retries", 0), int):
        raise ValueError(expected)
    if not isinstance(value.get("exponential_backoff", True), bool):
        raise ValueError(expected)
    return RetryPolicy(**{_RETRY_FIELDS[key]: item for key, item in value.items()})


def _pipeline_name(value: Any) -> str:
    if isinstance(value, str) and not block_name_problem(value):
        return value
    raise ValueError("a name of lower case letters, digits and '_', beginning with a letter")


def _pipeline_type(value: Any) -> str:
    if value in ("python", "pyspark"):
        return str(value)
    raise ValueError("'python' or 'pyspark'")


def _anything(value: Any) -> Any:
    return value


_CELL_CHECKS: Mapping[str, _Check] = {
    "executor": _text,
    "executor_config": _mapping,
    "resources": _resources,
    "retries": _retries,
    "timeout": _seconds,
    "poll_interval": _seconds,
    "cache": _yes_no,
    "changes": _names,
    "upstream": _block_names,
}

_NOTEBOOK_CHECKS: Mapping[str, _Check] = {
    "pipeline": _pipeline_name,
    "executor": _text,
    "retries": _retries,
    "type": _pipeline_type,
    "description": _text,
    "kernel": _yes_no,
    "version": _anything,
}
