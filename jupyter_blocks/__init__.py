"""Jupyter Blocks: the tagged cells of a notebook, run as a pipeline.

    from jupyter_blocks import loader, transformer, exporter

marks the functions of blocks; `run` and `load` are the Python API. Everything is imported when it
is first used, so that `import jupyter_blocks` costs next to nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from jupyter_blocks._version import __version__

if TYPE_CHECKING:
    from jupyter_blocks.api import RunResult, load, run
    from jupyter_blocks.decorators import (
        callback,
        condition,
        custom,
        data_exporter,
        data_loader,
        exporter,
        loader,
        sensor,
        test,
        transformer,
    )
    from jupyter_blocks.errors import BlockFailedError, BlocksError, Problem, ValidationError
    from jupyter_blocks.kernel.extension import load_ipython_extension, unload_ipython_extension

__all__ = [
    "BlockFailedError",
    "BlocksError",
    "Problem",
    "RunResult",
    "ValidationError",
    "__version__",
    "callback",
    "condition",
    "custom",
    "data_exporter",
    "data_loader",
    "exporter",
    "load",
    "load_ipython_extension",
    "loader",
    "run",
    "sensor",
    "test",
    "transformer",
    "unload_ipython_extension",
]

_MODULES = {
    "jupyter_blocks.api": ("RunResult", "load", "run"),
    "jupyter_blocks.decorators": (
        "callback",
        "condition",
        "custom",
        "data_exporter",
        "data_loader",
        "exporter",
        "loader",
        "sensor",
        "test",
        "transformer",
    ),
    "jupyter_blocks.errors": ("BlockFailedError", "BlocksError", "Problem", "ValidationError"),
    "jupyter_blocks.kernel.extension": ("load_ipython_extension", "unload_ipython_extension"),
    "jupyter_blocks.server.hooks": ("_jupyter_server_extension_points",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__


class _Package(ModuleType):
    """Keeps `jupyter_blocks.run` the function: importing run.py would put a module there."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _HOMES or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
