"""Modules of our own that are imported when they are used: those that not every command needs."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["LazyModule"]


class LazyModule:
    """Stands in for a module until one of its names is asked for.

    Type checkers see the real module: import it under `TYPE_CHECKING`, and put this in its place
    otherwise.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(import_module(self._name), attribute)

    def __repr__(self) -> str:
        return f"LazyModule({self._name!r})"
