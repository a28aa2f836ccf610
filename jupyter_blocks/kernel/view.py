"""What a notebook describes at one moment: its blocks, the files an export would write, freshness.

Made from the text of the cells alone and kept as long as that does not change.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jupyter_blocks.binding import BlockDraft, NotebookPipeline, analyze_notebook
from jupyter_blocks.block import Block
from jupyter_blocks.errors import raise_errors
from jupyter_blocks.export import exported_texts, notebook_path, project_folder
from jupyter_blocks.exportplan import Owner, block_path
from jupyter_blocks.freshness import Fingerprints
from jupyter_blocks.notebook import Cell, Notebook
from jupyter_blocks.pipeline import Pipeline
from jupyter_blocks.plan import Action, RunOptions
from jupyter_blocks.planner import Decision, make_plan
from jupyter_blocks.project import Project, create_project, ensure_folders, open_project
from jupyter_blocks.variables.formats import Source
from jupyter_blocks.variables.manifest import Manifest
from jupyter_blocks.variables.store import VariableStore
from jupyter_blocks.wording import stale_text

__all__ = ["View", "Views"]

_LARGEST_IMAGE = 4 * 1024 * 1024
"""Larger pictures would make the notebook they are shown in too large."""


@dataclass(frozen=True)
class View:
    """The blocks of a notebook."""

    notebook: Notebook
    draft: NotebookPipeline

    @cached_property
    def root(self) -> Path:
        """Folder of the project."""
        return project_folder(self.notebook.path)

    @cached_property
    def project(self) -> Project:
        """The project, made if need be: what cells store lies in it."""
        project = create_project(self.root)
        ensure_folders(project)
        return project

    @cached_property
    def store(self) -> VariableStore:
        """Where its outputs are; looking makes no project."""
        exists = (self.root / "metadata.yaml").is_file()
        project = open_project(self.root) if exists else Project(self.root)
        return VariableStore(project.variables_root)

    @cached_property
    def texts(self) -> Mapping[str, str]:
        """The files an export would write; raises `ValidationError` where it would refuse."""
        raise_errors(self.draft.problems)
        return exported_texts(self.draft, self.notebook, self.root)[0]

    @cached_property
    def pipeline(self) -> Pipeline:
        """The pipeline an export would make."""
        return Pipeline(
            name=self.draft.name,
            type=self.draft.settings.type or "python",
            blocks=tuple(map(self._block, self.draft.blocks)),
            path=self.root / "pipelines" / self.draft.name / "metadata.yaml",
            variables=self.draft.parameters,
        )

    def cell(self, name: str) -> Cell | None:
        """The cell called `name` (`Cell.ref`)."""
        return next((cell for cell in self.notebook.cells if cell.ref == name), None)

    def block_at(self, number: int) -> BlockDraft | None:
        """The block a cell belongs to."""
        return next((block for block in self.draft.blocks if number in block.cells), None)

    def find(self, name: str) -> BlockDraft | None:
        """The block called `name`, or that gives an output of this name."""
        for block in self.draft.blocks:
            if block.name == name:
                return block
        return next((each for each in reversed(self.draft.blocks) if name in each.outputs), None)

    def fingerprints(self, parameters: Mapping[str, Any]) -> Fingerprints:
        """Fingerprints of the blocks, as a run after an export would make them."""
        return Fingerprints(self.root, self.pipeline, parameters, self.texts)

    def freshness(self) -> dict[str, Decision]:
        """Block -> what `run --changed` would do with it, and why."""
        if not self.draft.is_valid:
            wrong = Decision(Action.RUN, "the notebook has mistakes")
            return {block.name: wrong for block in self.draft.blocks}
        values = self.pipeline.variables
        plan = make_plan(
            self.pipeline,
            RunOptions(parameters=values, changed=True),
            run_id="",
            store=self.store,
            fingerprints=self.fingerprints(values),
            environment={},
        )
        return {
            block.name: Decision(block.action, stale_text(block.reason)) for block in plan.blocks
        }

    def staleness(self, block: str) -> str:
        """Why the stored outputs of a block are stale; empty if they are fresh."""
        decision = self.freshness().get(block)
        if decision is None or decision.action is not Action.RUN:
            return ""
        return decision.reason

    def image(self, manifest: Manifest, output: str) -> bytes | None:
        """The picture of a stored figure as PNG; none where it has none, or one that is huge."""
        objects = manifest.output(output).objects
        if not any(item.key.endswith(".png") and item.size <= _LARGEST_IMAGE for item in objects):
            return None
        source = Source(self.store.storage, manifest.prefix, objects, verify=False)
        return bytes(source.buffer(".png"))

    def _block(self, draft: BlockDraft) -> Block:
        owner = Owner(self.root, notebook_path(self.notebook.path, self.root), self.draft.name)
        path = block_path(owner, draft.type.folder, draft.name)
        return Block(
            name=draft.name,
            type=draft.type,
            upstream=draft.upstream,
            file=path,
            content=self.texts[path],
            binding=draft.binding,
            cache=draft.settings.cache is not False,
        )


class Views:
    """The view of a notebook, analyzed again only when a cell has changed."""

    def __init__(self) -> None:
        self._made: dict[Any, View] = {}

    def of(self, notebook: Notebook | None) -> View | None:
        """The view; none where no cell of the notebook is meant for a pipeline."""
        if notebook is None or not any(map(_is_tagged, notebook.code_cells)):
            return None
        key = _key(notebook)
        if key not in self._made:
            while len(self._made) > 3:
                del self._made[next(iter(self._made))]
            self._made[key] = View(notebook, analyze_notebook(notebook))
        return self._made[key]


def _is_tagged(cell: Cell) -> bool:
    """Whether a cell may be a block: by a tag, a comment directive or a decorator."""
    return bool(cell.tags) or cell.source.lstrip()[:1] in ("#", "@") or "\n@" in cell.source


def _key(notebook: Notebook) -> Any:
    cells = tuple(
        (cell.ref, cell.kind, cell.source, cell.tags, _settings(cell.metadata))
        for cell in notebook.cells
        if cell.kind == "code"
    )
    return notebook.path, _settings(notebook.metadata), cells


def _settings(metadata: Mapping[str, Any]) -> str:
    return json.dumps(metadata.get("jupyter_blocks"), sort_keys=True, default=str)
