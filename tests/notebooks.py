"""Small notebooks on disk, for tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from textwrap import dedent
from typing import Any

Source = tuple[str, str] | tuple[str, str, dict[str, Any]]
"""Tags (with blanks between), source, and perhaps settings for the metadata `jupyter_blocks`."""


def notebook_document(*cells: Source, ids: bool = True, **settings: Any) -> dict[str, Any]:
    """A notebook of nbformat 4.5; `settings` become its metadata `jupyter_blocks`."""
    metadata: dict[str, Any] = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}
    }
    if settings:
        metadata["jupyter_blocks"] = settings
    return {
        "cells": [_cell(number, cell, ids) for number, cell in enumerate(cells, start=1)],
        "metadata": metadata,
        "nbformat": 4,
        "nbformat_minor": 5 if ids else 4,
    }


def notebook(folder: Path, *cells: Source, name: str = "demo.ipynb", **options: Any) -> Path:
    """Write a notebook into `folder`; each cell is (tags, source) or (tags, source, settings).

    The tags are separated by blanks; a cell with the tag `markdown` is one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(json.dumps(notebook_document(*cells, **options), indent=1), "utf-8")
    return path


def _cell(number: int, cell: Source, ids: bool) -> dict[str, Any]:
    tags, source = cell[0].split(), dedent(cell[1]).strip("\n")
    metadata: dict[str, Any] = {"tags": [tag for tag in tags if tag != "markdown"]} if tags else {}
    if len(cell) > 2:
        metadata["jupyter_blocks"] = cell[2]
    written: dict[str, Any] = {
        "cell_type": "markdown" if "markdown" in tags else "code",
        "metadata": metadata,
        "source": _lines(source),
    }
    if ids:
        written["id"] = f"cell-{number}"
    if written["cell_type"] == "code":
        written |= {"execution_count": None, "outputs": []}
    return written


def _lines(source: str) -> Sequence[str]:
    return source.splitlines(keepends=True)
