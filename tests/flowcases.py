"""Tables of cells and the names that `dataflow` is expected to find in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from jupyter_blocks.dataflow import analyze, is_builtin

__all__ = ["Case", "cases", "check", "found"]


@dataclass(frozen=True)
class Case:
    """A cell, and names in the order in which they are expected. Builtins are left out."""

    source: str
    reads: str = ""
    maybe_reads: str = ""
    binds: str = ""
    maybe_binds: str = ""
    changes: str = ""
    deletes: str = ""


def found(source: str, **options: Any) -> Case:
    """The case that the analysis finds."""
    flow = analyze(source, **options)
    return Case(
        source,
        reads=" ".join(use.name for use in flow.reads if not is_builtin(use.name)),
        maybe_reads=" ".join(use.name for use in flow.maybe_reads if not is_builtin(use.name)),
        binds=" ".join(flow.binds),
        maybe_binds=" ".join(flow.maybe_binds),
        changes=" ".join(flow.changes),
        deletes=" ".join(flow.deletes),
    )


def check(case: Case) -> None:
    assert found(case.source) == case


def cases(*listed: Case) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", listed, ids=lambda case: case.source)
