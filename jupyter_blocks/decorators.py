"""Markers for the functions of a block file: they tag a function and change nothing else.

Two more say where figures end, which a notebook has cells for (`end_cell`, `keep_figures`).

A marked function stays an ordinary function: it imports, runs and tests anywhere. The worker finds
the marks in the order in which the file made them (`collecting`), so that two tests of one name are
two tests, and the first function of a block's own type is the one that is called.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar, overload

__all__ = [
    "Mark",
    "Marker",
    "callback",
    "collecting",
    "condition",
    "custom",
    "data_exporter",
    "data_loader",
    "end_cell",
    "exporter",
    "keep_figures",
    "loader",
    "sensor",
    "test",
    "transformer",
    "unwatch",
    "watch",
]

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Mark:
    """One decorated function of a block file."""

    kind: str
    """Name of the decorator: `data_loader`, `transformer`, ..., `test`, `condition`, `callback`."""
    function: Callable[..., Any]
    argument: str | None = None
    """Argument of the decorator; for a callback the outcome it waits for, such as `success`."""


_marks: ContextVar[list[Mark] | None] = ContextVar("jupyter_blocks_marks", default=None)


@contextmanager
def collecting() -> Iterator[list[Mark]]:
    """Gather the marks made inside the `with` block, in the order in which they were made."""
    marks: list[Mark] = []
    token = _marks.set(marks)
    try:
        yield marks
    finally:
        _marks.reset(token)


_watchers: list[Callable[[Mark], None]] = []


def watch(watcher: Callable[[Mark], None]) -> None:
    """Tell `watcher` of every mark from now on, whoever makes it."""
    _watchers.append(watcher)


def unwatch(watcher: Callable[[Mark], None]) -> None:
    """Tell it no more."""
    _watchers.remove(watcher)


class Marker:
    """A decorator, used bare (`@transformer`) or called (`@callback("failure")`)."""

    def __init__(self, kind: str, default: str | None = None) -> None:
        self.kind = kind
        self.default = default
        self.__name__ = kind
        self.__doc__ = f"Mark a function as `{kind}`."

    @overload
    def __call__(self, function: Function, /) -> Function: ...

    @overload
    def __call__(
        self, argument: str | None = None, /, **_options: Any
    ) -> Callable[[Function], Function]: ...

    def __call__(self, argument: Any = None, /, **_options: Any) -> Any:
        """Mark the function, or take the argument and mark the function that follows."""
        if callable(argument):
            return self._mark(argument, self.default)
        wanted = self.default if argument is None else str(argument)

        def mark(function: Function) -> Function:
            return self._mark(function, wanted)

        return mark

    def __repr__(self) -> str:
        return f"@{self.kind}"

    def _mark(self, function: Function, argument: str | None) -> Function:
        mark, marks = Mark(self.kind, function, argument), _marks.get()
        if marks is not None:
            marks.append(mark)
        for watcher in _watchers:
            watcher(mark)
        return function


data_loader = Marker("data_loader")
transformer = Marker("transformer")
data_exporter = Marker("data_exporter")
sensor = Marker("sensor")
custom = Marker("custom")
test = Marker("test")
condition = Marker("condition")
callback = Marker("callback", default="success")

loader = data_loader
exporter = data_exporter


def end_cell() -> None:
    """Say that a cell of the notebook ends here: pyplot's figures end with it, as in Jupyter.

    `plt.plot(...)` after it begins a new figure; figures and axes that have a name stay usable.
    """
    pyplot = sys.modules.get("matplotlib.pyplot")
    if figures := sys.modules.get(_FIGURES):
        figures.end_cell()
    elif pyplot is not None:
        pyplot.close("all")


def keep_figures() -> None:
    """Say that figures stay open where cells end, as with `%matplotlib widget` in a notebook."""
    if matplotlib := sys.modules.get("matplotlib"):
        matplotlib.use("agg")
    else:
        os.environ["MPLBACKEND"] = "agg"


_FIGURES = "jupyter_blocks.cellfigures"
"""The backend of matplotlib that blocks run with."""
