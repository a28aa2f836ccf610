"""From what a user names to a project and a pipeline; a notebook is exported on the way.

What the command line and the Python API share.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_blocks.errors import Problem, UsageError, raise_errors
from jupyter_blocks.lazy import LazyModule
from jupyter_blocks.pipeline import Pipeline
from jupyter_blocks.project import Project, open_project, resolve_target

if TYPE_CHECKING:
    from jupyter_blocks import binding, export, notebook
else:
    binding, export, notebook = (
        LazyModule(f"jupyter_blocks.{name}") for name in ("binding", "export", "notebook")
    )

__all__ = ["Opened", "locate_target", "open_target", "read_draft"]


@dataclass(frozen=True)
class Opened:
    """A pipeline that is ready to be planned."""

    project: Project
    pipeline: Pipeline
    warnings: tuple[Problem, ...] = ()
    """What was found that does not keep it from running."""


def open_target(target: str, pipeline: str | None = None, cwd: Path | str = ".") -> Opened:
    """The pipeline that `target` names (see `project.resolve_target`), up to date.

    A notebook is exported first. Raises `ValidationError` with every problem, or `UsageError`.
    """
    found = resolve_target(target, pipeline, cwd)
    warnings: tuple[Problem, ...] = ()
    if found.notebook is not None:
        exported = export.export_notebook(found.notebook, pipeline=pipeline)
        raise_errors(exported.problems)
        warnings = exported.problems
        project, name = open_project(exported.project), exported.pipeline
    else:
        project, name = _named(found.project, found.pipeline_name)
    opened = project.pipeline(name)
    return Opened(project, opened, (*warnings, *project.warnings, *opened.warnings))


def locate_target(
    target: str, pipeline: str | None = None, cwd: Path | str = "."
) -> tuple[Project, str]:
    """The project and the name of the pipeline that `target` names; nothing is written.

    A notebook names the pipeline it was exported to.
    """
    found = resolve_target(target, pipeline, cwd)
    if found.notebook is None:
        return _named(found.project, found.pipeline_name)
    name = read_draft(found.notebook, pipeline, only_name=True).name
    root = export.project_folder(found.notebook)
    project = open_project(root) if (root / "metadata.yaml").is_file() else None
    if project is None or name not in project.pipelines():
        raise UsageError(
            f"{found.notebook.name} has not been exported yet.",
            hint=f"Run it first: `jupyter blocks run {target}`.",
        )
    return project, name


def read_draft(
    path: Path, pipeline: str | None = None, *, only_name: bool = False
) -> binding.NotebookPipeline:
    """The pipeline a notebook describes; raises `ValidationError` with every mistake.

    `only_name` takes it as it is, mistakes and all.
    """
    draft = binding.analyze_notebook(notebook.read_notebook(path), pipeline=pipeline)
    if not only_name:
        raise_errors(draft.problems)
    return draft


def _named(project: Project | None, name: str | None) -> tuple[Project, str]:
    if project is None or name is None:
        raise UsageError("Name a pipeline.")
    return project, name
