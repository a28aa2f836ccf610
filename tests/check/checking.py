"""Checking small notebooks, for tests."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from jupyter_blocks.check import CheckEntry, CheckResult, check_notebook
from tests.notebooks import Source, notebook

IN_A_KERNEL = "import sys\nin_a_kernel = 'ipykernel' in sys.modules\n"
"""Code with another value in a notebook than in the pipeline, the same each time."""


def check(tmp_path: Path, *cells: Source) -> CheckResult:
    """Check a notebook of these cells."""
    return check_notebook(notebook(tmp_path, *cells))


def names(entries: Iterable[CheckEntry]) -> list[tuple[str, str]]:
    """Block and output of each entry."""
    return [(entry.block, entry.name) for entry in entries]


def details(entries: Iterable[CheckEntry]) -> dict[str, str]:
    """Output -> detail."""
    return {entry.name: entry.detail for entry in entries}
