"""A notebook -> block files and metadata.yaml of a project; the only writer of either.

All or nothing: a notebook with a mistake, or one file in the way, and nothing is written.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from keyword import iskeyword
from pathlib import Path

from jupyter_blocks.binding import BlockDraft, Note, NotebookPipeline, analyze_notebook
from jupyter_blocks.block import Block, SensorPolicy, block_name_problem
from jupyter_blocks.blockfile import parse_header
from jupyter_blocks.codegen import helpers_text
from jupyter_blocks.errors import Problem, ProjectError, UsageError
from jupyter_blocks.exportbase import keep_exported
from jupyter_blocks.exportplan import (
    ExportedFile,
    Owner,
    block_path,
    planned_files,
    signed_yaml_digest,
)
from jupyter_blocks.kepttexts import kept_block_text
from jupyter_blocks.notebook import Notebook, read_notebook
from jupyter_blocks.pipelinetext import pipeline_yaml, signed
from jupyter_blocks.project import create_project, find_project

__all__ = [
    "ExportResult",
    "ExportedFile",
    "export_notebook",
    "export_pipeline",
    "exported_texts",
    "notebook_path",
    "project_folder",
]

_NO_DIGEST = "0a" * 16
"""Stands in a metadata.yaml until its digest is known."""
_PACKAGE = "helpers/__init__.py"
_PACKAGE_TEXT = (
    '"""Functions, classes and constants that the blocks of exported notebooks share."""\n'
)


@dataclass(frozen=True)
class ExportResult:
    """What an export did, or found."""

    project: Path
    """Absolute folder of the project."""
    pipeline: str
    files: tuple[ExportedFile, ...] = ()
    """Every file of the pipeline, sorted; empty where the notebook has mistakes."""
    problems: tuple[Problem, ...] = ()
    """Mistakes and warnings. With an error among them nothing was written."""
    notes: tuple[Note, ...] = ()
    """What was left out on purpose, such as `%matplotlib`."""

    @property
    def is_ok(self) -> bool:
        """Whether no problem is an error."""
        return all(problem.severity != "error" for problem in self.problems)

    @property
    def has_drifted(self) -> bool:
        """Whether any file is not what the notebook says."""
        return any(file.state != "unchanged" for file in self.files)


def project_folder(notebook: Path, project: str | Path | None = None) -> Path:
    """The project a notebook is exported to: the given one, the one around it, or its folder."""
    if project is not None:
        return Path(project).expanduser().resolve()
    around = find_project(notebook.parent)
    return around.root if around is not None else notebook.parent.resolve()


def export_notebook(
    path: str | Path,
    project: str | Path | None = None,
    pipeline: str | None = None,
    *,
    force: bool = False,
    check: bool = False,
) -> ExportResult:
    """Write the block files and the metadata.yaml of a notebook, or find out what would change.

    Files that were edited by hand or belong to others are problems; `force` overwrites them, except
    those of another notebook. With `check` nothing is written. Raises `UsageError` and
    `ValidationError` as `read_notebook` does, and `ProjectError` where a file cannot be written.
    """
    if pipeline is not None:
        _require_name(pipeline)
    notebook = read_notebook(Path(path).expanduser())
    return export_pipeline(
        analyze_notebook(notebook, pipeline=pipeline), notebook, project, force=force, check=check
    )


def export_pipeline(
    drafted: NotebookPipeline,
    notebook: Notebook,
    project: str | Path | None = None,
    *,
    force: bool = False,
    check: bool = False,
    taken_over: Collection[str] = (),
    new_notebook: bytes | None = None,
) -> ExportResult:
    """The same for a notebook that was analyzed already.

    `taken_over` are files edited by hand whose changes the notebook has. `new_notebook` is written
    to the notebook's file, if anything is written.
    """
    root = project_folder(notebook.path, project)
    owner = _owner(drafted, notebook, root)
    problems = [*drafted.problems, *_empty(drafted, notebook)]
    result = ExportResult(root, drafted.name, (), tuple(problems), drafted.notes)
    if not result.is_ok:
        return result
    texts = _texts(drafted, owner)
    problems += _invalid(texts, notebook)
    files, in_the_way = planned_files(owner, texts, force=force, check=check, taken_over=taken_over)
    problems += [*in_the_way, *_shadowed(owner, texts)]
    result = ExportResult(root, drafted.name, tuple(files), tuple(problems), drafted.notes)
    if result.is_ok and not check:
        also = {} if new_notebook is None else {notebook.path.resolve(): new_notebook}
        _write(root, files, also)
        keep_exported(root / ".blocks", texts)
    return result


def exported_texts(
    drafted: NotebookPipeline, notebook: Notebook, root: Path
) -> tuple[dict[str, str], list[Problem]]:
    """What an export to the project at `root` would write: project-relative path -> text."""
    texts = _texts(drafted, _owner(drafted, notebook, root))
    return texts, _invalid(texts, notebook)


def _owner(drafted: NotebookPipeline, notebook: Notebook, root: Path) -> Owner:
    path = notebook_path(notebook.path, root)
    return Owner(root, path, drafted.name, _twin(path, notebook))


def _twin(path: str, notebook: Notebook) -> str:
    """The other file of a notebook that jupytext keeps as .ipynb and .py."""
    jupytext = notebook.metadata.get("jupytext")
    formats = jupytext.get("formats") if isinstance(jupytext, dict) else None
    if not isinstance(formats, str) or not {"ipynb", "py"} <= set(re.split(r"[,:]", formats)):
        return ""
    stem, _, suffix = path.rpartition(".")
    return f"{stem}.{'py' if suffix == 'ipynb' else 'ipynb'}"


def _require_name(pipeline: str) -> None:
    problem = block_name_problem(pipeline).replace("block name", "name for a pipeline")
    if problem or iskeyword(pipeline):
        raise UsageError(problem or f"'{pipeline}' is a word of Python.", hint="Choose another.")


def notebook_path(path: Path, root: Path) -> str:
    """Path of a notebook as it is written into files: relative to the project, with '/'."""
    return Path(os.path.relpath(path.resolve(), root)).as_posix()


def _empty(drafted: NotebookPipeline, notebook: Notebook) -> list[Problem]:
    if drafted.blocks or not drafted.is_valid:
        return []
    if not any(cell.source.strip() for cell in notebook.code_cells):
        said = "The notebook has no code, so there is nothing to export."
        hint = "Write code cells, and tag them 'loader', 'transformer' or 'exporter'."
        return [Problem("no-blocks", said, hint, notebook=notebook.name)]
    return [
        Problem(
            "no-blocks",
            "No cell has a block tag, so there is nothing to export.",
            "Tag cells 'loader', 'transformer' or 'exporter', or let 'jupyter blocks suggest' "
            "propose tags.",
            notebook=notebook.name,
        )
    ]


# texts


def _texts(drafted: NotebookPipeline, owner: Owner) -> dict[str, str]:
    """Project-relative path -> text, of all files of the pipeline."""
    paths = {
        block.name: block_path(owner, block.type.folder, block.name) for block in drafted.blocks
    }
    texts = {
        paths[block.name]: kept_block_text(block, pipeline=drafted.name, notebook=owner.notebook)
        for block in drafted.blocks
    }
    helpers = None
    if drafted.helpers is not None:
        helpers = f"helpers/{drafted.name}.py"
        texts[helpers] = helpers_text(
            drafted.helpers, pipeline=drafted.name, notebook=owner.notebook
        )
        if not (owner.root / _PACKAGE).exists():
            texts[_PACKAGE] = _PACKAGE_TEXT
    texts[f"pipelines/{drafted.name}/metadata.yaml"] = _metadata(drafted, owner, paths, helpers)
    return texts


def _metadata(
    drafted: NotebookPipeline, owner: Owner, paths: Mapping[str, str], helpers: str | None
) -> str:
    text = pipeline_yaml(
        name=drafted.name,
        blocks=[_block(block, paths[block.name]) for block in drafted.blocks],
        type=drafted.settings.type or "python",
        variables=drafted.parameters,
        executor_type=drafted.settings.executor,
        retry=drafted.settings.retries,
        notebook=owner.notebook,
        helpers=helpers,
        digest=_NO_DIGEST,
    )
    return signed(text, _NO_DIGEST, signed_yaml_digest(text))


def _block(draft: BlockDraft, path: str) -> Block:
    settings = draft.settings
    is_sensor = draft.type.name == "sensor"
    return Block(
        name=draft.name,
        type=draft.type,
        upstream=draft.upstream,
        file=path,
        executor_type=settings.executor,
        executor_config=settings.executor_config or {},
        resources=settings.resources or {},
        retry=settings.retries,
        timeout_s=None if is_sensor else settings.timeout,
        sensor=_sensor(draft) if is_sensor else SensorPolicy(),
        binding=draft.binding,
        cache=settings.cache is not False,
    )


def _sensor(draft: BlockDraft) -> SensorPolicy:
    settings = draft.settings
    return SensorPolicy(settings.poll_interval or SensorPolicy.poll_interval_s, settings.timeout)


# problems


def _invalid(texts: Mapping[str, str], notebook: Notebook) -> list[Problem]:
    """Files Python cannot compile: code that a notebook allows and a function does not."""
    numbers = {cell.ref: cell.number for cell in notebook.cells}
    problems = []
    for path, text in texts.items():
        if not path.endswith(".py"):
            continue
        error = _syntax_error(text)
        if error is not None:
            header = parse_header(text)
            place = header.locate(error.lineno or 0) if header else None
            problems.append(
                Problem(
                    "not-a-function",
                    f"This code cannot be part of a function: {error.msg}.",
                    "Write it in another way.",
                    notebook=notebook.name,
                    cell=numbers.get(place[0]) if place else None,
                    line=place[1] if place else None,
                    block=header.block or None if header else None,
                )
            )
    return problems


@lru_cache(maxsize=512)
def _syntax_error(text: str) -> SyntaxError | None:
    """What Python has against a file; a notebook that is analyzed again has mostly the same."""
    try:
        compile(text, "block", "exec", dont_inherit=True)
    except SyntaxError as error:
        return error.with_traceback(None)
    return None


def _shadowed(owner: Owner, texts: Mapping[str, str]) -> list[Problem]:
    """A file helpers.py of the user's own cannot live beside the folder helpers/."""
    if not any(path.startswith("helpers/") for path in texts):
        return []
    if not (owner.root / "helpers.py").exists():
        return []
    return [
        Problem(
            "file-taken",
            "The project has a file helpers.py, and the functions of the notebook go to a folder "
            "helpers/; Python cannot tell them apart.",
            "Rename helpers.py, or export to another project with --project.",
            pipeline=owner.pipeline,
            path="helpers.py",
        )
    ]


# writing


def _write(root: Path, files: Sequence[ExportedFile], also: Mapping[Path, bytes]) -> None:
    """Make the files what they should be: all of them, or none."""
    contents = {**also}
    contents |= {root / file.path: file.text.encode() for file in files if file.state == "written"}
    removed = [root / file.path for file in files if file.state == "removed"]
    before = {path: _bytes(path) for path in (*contents, *removed)}
    drafts: list[Path] = []
    try:
        create_project(root)
        for path, data in contents.items():
            drafts.append(_draft(path, data))
        for path, draft in zip(contents, drafts, strict=True):
            draft.replace(path)
        for path in removed:
            path.unlink()
    except OSError as error:
        for path, old in before.items():
            _restore(path, old)
        raise ProjectError(
            f"Nothing was exported: {error.filename or root} cannot be written "
            f"({error.strerror or error}).",
            hint="Check the folder's permissions and the space on the disk.",
        ) from error
    finally:
        for draft in drafts:
            draft.unlink(missing_ok=True)
    for path in removed:
        with suppress(OSError):  # only a folder that is empty now goes as well
            path.parent.rmdir()


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _draft(path: Path, data: bytes) -> Path:
    """A finished file beside the one it is going to replace."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    draft.write_bytes(data)
    if path.exists():
        shutil.copymode(path, draft)
    return draft


def _restore(path: Path, data: bytes | None) -> None:
    with suppress(OSError):
        if data is None:
            path.unlink(missing_ok=True)
        elif not path.exists() or path.read_bytes() != data:
            path.write_bytes(data)
