"""Calls the function of a decorated block in the kernel, and its tests."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from jupyter_blocks.calling import call_named, call_test, mage_kwargs
from jupyter_blocks.executors.base import BlockTask
from jupyter_blocks.kernel.view import View

__all__ = ["call_block", "keywords", "run_tests", "test_names"]


def keywords(view: View, block: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What a function with `**kwargs` is given, as in a run."""
    task = BlockTask(
        run_id="",
        pipeline=view.draft.name,
        block=block,
        type="",
        attempt_id="",
        attempt=1,
        project=str(view.root),
        working_dir=str(view.notebook.path.parent),
        file="",
        parameters=parameters,
        execution_date=datetime.now(UTC).isoformat(),
    )
    return mage_kwargs(task, {})


def call_block(
    function: Callable[..., Any], values: Mapping[str, Any], kwargs: Mapping[str, Any]
) -> Any:
    """Call the function; an `async` one in a thread, as the kernel's own loop is taken."""
    if not inspect.iscoroutinefunction(function):
        return call_named(function, values, kwargs)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call_named, function, values, kwargs).result()


def test_names(source: str) -> list[str]:
    """Names of the functions of a cell that are decorated with `@test`."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []
    return [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and any(_last_name(decorator) == "test" for decorator in node.decorator_list)
    ]


test_names.__test__ = False  # type: ignore[attr-defined]  # its name looks like a test to pytest


def run_tests(
    tests: list[Callable[..., Any]], outputs: list[Any], kwargs: Mapping[str, Any]
) -> None:
    """Run the tests of a block on its outputs; the first that fails ends the cell."""
    for function in tests:
        call_test(function, outputs, kwargs)


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
