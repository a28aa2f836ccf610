"""`check`: does the exported pipeline compute what the notebook computes, value by value?

The notebook runs from top to bottom in a kernel (`notebookrun`, `kernel`, `inkernel`), the pipeline
exported from it in processes of its own, both in the notebook's folder; then every output of every
block is compared (`comparison`). Where values differ the notebook runs once more, to tell what it
changes from what varies by itself, and the block and line that made the difference are found
(`causes`, `lines`). Nothing of it touches the project or its variable store.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_blocks.check.proof import check_notebook
    from jupyter_blocks.check.result import CheckEntry, CheckResult

__all__ = ["CheckEntry", "CheckResult", "check_notebook"]

# The notebook's kernel imports a module of this package; it is spared all the others.
_HOMES = {"CheckEntry": "result", "CheckResult": "result", "check_notebook": "proof"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
