"""What a notebook says, saved or not: its DAG with reasons, its problems, drift and freshness.

The same text gives the same answer at once: drafts are kept by the digest of the notebook, and
what depends on the disk by the times of the files that were looked at.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from jupyter_blocks.binding import BlockDraft, Edge, NotebookPipeline, analyze_notebook
from jupyter_blocks.block import BLOCK_TYPES
from jupyter_blocks.collector import collector_paused
from jupyter_blocks.errors import BlocksError, Problem
from jupyter_blocks.export import ExportResult, export_pipeline
from jupyter_blocks.notebook import Notebook, parse_notebook
from jupyter_blocks.project import Project, open_project
from jupyter_blocks.server.faults import RequestError
from jupyter_blocks.server.fixes import fixes_of
from jupyter_blocks.server.freshness import TRUSTED_S, StoredFreshness, draft_freshness
from jupyter_blocks.server.jsontext import dump
from jupyter_blocks.server.places import Places
from jupyter_blocks.variables.cells import cut
from jupyter_blocks.variables.manifest import latest_prefix

__all__ = ["Analyzer", "edge_reason", "notebook_bytes"]

_MOST_CELLS = 5_000
_KEPT = 32
_KEPT_OF_ONE = 2
"""Texts of one notebook: as it is edited, and as it was saved or is looked at elsewhere."""


def notebook_bytes(content: Any) -> bytes:
    """A notebook as a client posts it: the document, or the text of a Python file."""
    if isinstance(content, str):
        return content.encode("utf-8", "replace")
    try:
        return json.dumps(content).encode("utf-8", "replace")
    except (ValueError, RecursionError) as error:
        raise RequestError(400, "The notebook cannot be read.") from error


@dataclass
class _Kept:
    """One notebook that was analyzed."""

    notebook: Notebook
    draft: NotebookPipeline
    answer: bytes = b""
    signature: Any = None
    made_at: float = 0.0


class Analyzer:
    """Answers with the analysis of notebooks; safe for use by threads."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._kept: OrderedDict[tuple[str, ...], _Kept] = OrderedDict()
        self._stored = StoredFreshness()
        self._lock = threading.Lock()

    def analyze(self, path: Path, data: bytes, pipeline: str | None = None) -> bytes:
        """The analysis of the notebook in `data`, which lies or will lie at `path`, as JSON."""
        with collector_paused():  # a fifth of the time would go to it
            return self._analyzed(path, data, pipeline)

    def _analyzed(self, path: Path, data: bytes, pipeline: str | None) -> bytes:
        kept = self._draft(path, data, pipeline)
        root = self._places.project_of(path)
        signature = _signature(root, kept.draft.name)
        now = time.monotonic()
        if kept.signature != signature or now - kept.made_at > TRUSTED_S:
            document = self._document(kept.notebook, kept.draft, root, signature)
            kept.answer = dump(document, self._places.root)
            kept.signature, kept.made_at = signature, now
        return kept.answer

    def _draft(self, path: Path, data: bytes, pipeline: str | None) -> _Kept:
        key = (str(path), sha256(data).hexdigest(), pipeline or "")
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        notebook = parse_notebook(data, path)
        if len(notebook.cells) > _MOST_CELLS:
            raise RequestError(413, f"The notebook has more than {_MOST_CELLS:,} cells.")
        try:
            draft = analyze_notebook(notebook, pipeline=pipeline)
        except RecursionError as error:
            raise RequestError(422, "The code of a cell is nested too deeply.") from error
        kept = _Kept(notebook, draft)
        with self._lock:
            self._kept[key] = kept
            others = [other for other in self._kept if other[0] == key[0]]
            for other in others[:-_KEPT_OF_ONE]:
                del self._kept[other]
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return kept

    def _document(
        self, notebook: Notebook, draft: NotebookPipeline, root: Path, signature: Any
    ) -> dict[str, Any]:
        exported = _exported(draft, notebook)
        problems = exported.problems if exported else draft.problems
        states = {file.path: file.state for file in exported.files} if exported else {}
        files = {block.name: _file_of(block, draft.name, states) for block in draft.blocks}
        project = open_project(root) if (root / "metadata.yaml").is_file() else None
        stored = self._stored_freshness(project, draft.name, signature) if project else {}
        fresh = _freshness(draft, files, states, stored)
        blocks = [
            {
                **_block(block, notebook),
                "executor": block.settings.executor or draft.settings.executor,
                "file": files[block.name] or None,
                "drift": _drift(root, files[block.name], states),
                "freshness": fresh[block.name],
            }
            for block in draft.blocks
        ]
        return {
            "notebook": self._places.relative(notebook.path),
            "pipeline": draft.name,
            "project": self._places.relative(root) if project else None,
            "blocks": blocks,
            "parameters": {name: cut(value)[0] for name, value in draft.parameters.items()},
            "problems": [_problem(problem, notebook, files) for problem in problems],
            "notes": [vars(note) for note in draft.notes],
            "has_drifted": any(state != "unchanged" for state in states.values()),
            "files": [{"path": path, "state": state} for path, state in states.items()],
        }

    def _stored_freshness(self, project: Project, name: str, signature: Any) -> Mapping[str, Any]:
        self._places.check(project.pipeline_path(name))
        return self._stored.of(project, name, signature, self._places.store)


def _problem(problem: Problem, notebook: Notebook, names: Iterable[str]) -> dict[str, Any]:
    fixes = fixes_of(problem, notebook, names)
    return {**problem.as_json(), **({"fixes": [vars(fix) for fix in fixes]} if fixes else {})}


def _freshness(
    draft: NotebookPipeline,
    files: Mapping[str, str],
    states: Mapping[str, str],
    stored: Mapping[str, Any],
) -> dict[str, Any]:
    changed = {
        name: "its code changed"
        for name, path in files.items()
        if states.get(path, "unchanged") != "unchanged"
    }
    return draft_freshness(draft.blocks, changed, stored)


def _exported(draft: NotebookPipeline, notebook: Notebook) -> ExportResult | None:
    """What an export would do; none where the files of the project cannot be compared."""
    try:
        return export_pipeline(draft, notebook, check=True)
    except (BlocksError, OSError):
        return None


def _file_of(block: BlockDraft, pipeline: str, states: Mapping[str, str]) -> str:
    folder = block.type.folder
    candidates = (f"{folder}/{pipeline}/{block.name}.py", f"{folder}/{block.name}.py")
    return next((path for path in candidates if path in states), "")


def _drift(root: Path, path: str, states: Mapping[str, str]) -> str:
    if not path:
        return "unknown"
    if states[path] == "differs" and not (root / path).exists():
        return "missing"
    return states[path]


def _block(block: BlockDraft, notebook: Notebook) -> dict[str, Any]:
    return {
        "name": block.name,
        "type": block.type.name,
        "style": str(block.style),
        "cells": list(block.cells),
        "cell_ids": [notebook.cells[number - 1].id for number in block.cells],
        "inputs": {name: str(source) for name, source in block.inputs.items()},
        "outputs": list(block.outputs),
        "parameters": list(block.parameters),
        "upstream": list(block.upstream),
        "edges": [{**vars(edge), "reason": edge_reason(edge)} for edge in block.edges],
    }


_VERBS = {"read": "reads", "rebind": "reads and sets again", "change": "changes"}


def edge_reason(edge: Edge) -> str:
    """Why there is an edge, as one sentence."""
    where = f"cell {edge.reader_cell}, line {edge.reader_line}"
    if edge.kind in _VERBS:
        text = f"'{edge.name}', which cell {edge.definer_cell} sets, is what {where} "
        text += _VERBS[edge.kind]
        return f"{text} inside a string." if edge.soft else f"{text}."
    if edge.kind == "file":
        return f"Both use the file '{edge.name}' ({where})."
    if edge.kind == "random":
        return f"It goes on with the random numbers of cell {edge.definer_cell} ({where})."
    return f"It is asked to run after '{edge.definer}'."


def _signature(root: Path, pipeline: str) -> tuple[Any, ...]:
    """Times and sizes of the files that drift and freshness depend on."""
    return tuple(_stamps(root, pipeline))


def _stamps(root: Path, pipeline: str) -> Iterator[Any]:
    folders = sorted({kind.folder for kind in BLOCK_TYPES.values()})
    latest = f".variables/{latest_prefix(pipeline)}"
    for folder in (".", *folders, *(f"{name}/{pipeline}" for name in folders), "helpers", latest):
        try:
            with os.scandir(root / folder) as entries:
                for entry in entries:
                    if entry.name.endswith((".py", ".json", ".yaml")):
                        stat = entry.stat()
                        yield entry.path, stat.st_mtime_ns, stat.st_size
        except OSError:
            continue
    try:
        yield (root / "pipelines" / pipeline / "metadata.yaml").stat().st_mtime_ns
    except OSError:
        yield 0
