"""Calls the function of a decorated block in the kernel, with all that belongs to it.

The order is that of a run: conditions, the function, tests, callbacks. What a run writes to the log
of a block is printed under the cell.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import tee
from typing import Any

from jupyter_blocks.calling import (
    call_callback,
    call_condition,
    call_named,
    call_test,
    mage_kwargs,
)
from jupyter_blocks.decorators import Mark, Marker
from jupyter_blocks.executors.base import BlockTask
from jupyter_blocks.iterators import iterators
from jupyter_blocks.kernel.view import View
from jupyter_blocks.tracebacks import exception_text
from jupyter_blocks.variables.formats import share, shareable

__all__ = ["BlockCall", "Marked", "keywords", "marked_functions", "whole"]

_KINDS = ("test", "condition", "callback")


def keywords(
    view: View, block: str, parameters: Mapping[str, Any], context: dict[str, Any]
) -> dict[str, Any]:
    """What a function with `**kwargs` is given, as in a run; `context` is shared by all blocks."""
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
    return mage_kwargs(task, context)


@dataclass(frozen=True)
class Marked:
    """A function of the cell that is not the block's own but belongs to it."""

    kind: str
    """`test`, `condition` or `callback`."""
    name: str
    function: Callable[..., Any]
    outcome: str = ""
    """What a callback waits for: `success`, `failure` or `cancelled`."""


def marked_functions(
    source: str, namespace: Mapping[str, Any], marks: Sequence[Mark]
) -> list[Marked]:
    """The tests, conditions and callbacks of a cell that has run, in their order.

    `marks` are those that were made meanwhile: two functions may have the same name.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []
    functions = [node for node in tree.body if isinstance(node, _FUNCTIONS)]
    made = list(marks)
    found = [
        Marked(
            marker.kind,
            node.name,
            _taken(made, marker.kind, node.name) or namespace[node.name],
            _outcome(decorator, marker),
        )
        for node in functions
        for decorator in node.decorator_list
        if (marker := _marker(decorator, namespace)) is not None and node.name in namespace
    ]
    return [each for each in found if each.kind in _KINDS]


class BlockCall:
    """One call of the function of a block."""

    def __init__(
        self,
        block: str,
        function: Callable[..., Any],
        marked: Sequence[Marked],
        kwargs: Mapping[str, Any],
    ) -> None:
        self._block = block
        self._function = function
        self._marked = marked
        self._kwargs = kwargs

    def refusal(self, inputs: Callable[[], Sequence[Any]]) -> str:
        """Why the block must not run: a condition is false, or fails; empty if all hold.

        `inputs` gives one value per upstream block; it is asked only if a condition takes any.
        """
        given: list[Any] = []

        def read() -> Sequence[Any]:
            given[:] = given or inputs()
            return given

        for each in self._of("condition"):
            if _takes_values(each.function):
                read()  # an input that is missing is no mistake of the condition
            try:
                if not _complete(each.function, call_condition, read, self._kwargs):
                    return f"Condition '{each.name}' is false."
            except Exception as error:
                return f"Condition '{each.name}' failed: {_said(error)}"
        return ""

    def result(self, values: Mapping[str, Any]) -> Any:
        """What the function gives; its mistakes are those of the cell."""
        return _complete(self._function, call_named, values, self._kwargs)

    def tested(self, outputs: Mapping[str, Any]) -> dict[str, Any]:
        """The outputs, after all tests ran on them, each on its own as far as that costs nothing.

        The first that fails is the error of the cell; others are named beside it.
        """
        kept = dict(outputs)
        failed: list[tuple[str, Exception]] = []
        for each in self._of("test"):
            values = _copies(kept)
            try:
                _complete(each.function, call_test, values, self._kwargs)
            except Exception as error:
                failed.append((each.name, error))
        if failed:
            for name, other in failed[1:]:
                print(f"Test '{name}' failed, too: {_said(other)}", file=sys.stderr)
            raise failed[0][1]
        return kept

    def succeeded(self, outputs: dict[str, Any]) -> None:
        """Tell the callbacks that wait for success."""
        if any(each.outcome == "success" for each in self._of("callback")):
            self.tell("success", whole(_copies(outputs)))

    def tell(self, outcome: str, output: Any, error: BaseException | None = None) -> None:
        """Tell the callbacks that wait for an outcome; what they raise changes nothing."""
        kwargs = {**self._kwargs, "parent_block_uuid": self._block, "pipeline_run": None}
        if error is not None:
            kwargs["__error"] = error
        for each in self._of("callback"):
            if each.outcome != outcome:
                continue
            try:
                _complete(each.function, call_callback, lambda: output, kwargs)
            except Exception as mistake:
                text = _said(mistake)
                print(
                    f"Callback '{each.name}' failed; the block is not affected. {text}",
                    file=sys.stderr,
                )

    def _of(self, kind: str) -> list[Marked]:
        return [each for each in self._marked if each.kind == kind]


def _copies(outputs: dict[str, Any]) -> list[Any]:
    """Values to be looked at; of an iterator, which that uses up, another one is left."""
    copies = {name: share(v) if shareable(v) else v for name, v in outputs.items()}
    for name in iterators(outputs):
        outputs[name], copies[name] = tee(outputs[name])
    return list(copies.values())


def whole(values: list[Any]) -> Any:
    """The outputs of a block as one value: one is itself, several are a list."""
    return values[0] if len(values) == 1 else values


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _complete(function: Callable[..., Any], call: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function; an `async` one in a thread, as the kernel's own loop is taken."""
    if not inspect.iscoroutinefunction(function):
        return call(function, *arguments)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call, function, *arguments).result()


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {exception_text(error)}"


def _takes_values(function: Callable[..., Any]) -> bool:
    kinds = (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        inspect.Parameter.VAR_POSITIONAL,
    )
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return True
    return any(parameter.kind in kinds for parameter in parameters)


def _taken(marks: list[Mark], kind: str, name: str) -> Callable[..., Any] | None:
    """The function of the first mark of a kind that has this name; the mark is taken out."""
    for number, mark in enumerate(marks):
        if mark.kind == kind and getattr(mark.function, "__name__", None) == name:
            return marks.pop(number).function
    return None


def _marker(decorator: ast.expr, namespace: Mapping[str, Any]) -> Marker | None:
    """The marker that a decorator names, whatever it is called in the notebook."""
    found = _named(decorator.func if isinstance(decorator, ast.Call) else decorator, namespace)
    return found if isinstance(found, Marker) else None


def _named(node: ast.expr, namespace: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Attribute):
        return getattr(_named(node.value, namespace), node.attr, None)
    return namespace.get(node.id) if isinstance(node, ast.Name) else None


def _outcome(decorator: ast.expr, marker: Marker) -> str:
    if isinstance(decorator, ast.Call) and decorator.args:
        first = decorator.args[0]
        return str(first.value) if isinstance(first, ast.Constant) else ""
    return marker.default or ""
