"""A notebook from an existing pipeline, so that a project without one opens in JupyterLab.

A block file written by hand becomes one cell with its decorated function. Files that were exported
from a notebook which is gone become plain cells again. Exporting the new notebook gives the same
blocks.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jupyter_blocks.binding import NotebookPipeline, analyze_notebook
from jupyter_blocks.block import Block, RetryPolicy, block_name_problem, module_name
from jupyter_blocks.blockfile import without_header
from jupyter_blocks.cellsettings import METADATA_KEY
from jupyter_blocks.errors import ProjectError
from jupyter_blocks.export import exported_texts
from jupyter_blocks.notebook import Notebook, parse_notebook
from jupyter_blocks.pipeline import Pipeline
from jupyter_blocks.plaincells import plain_cells
from jupyter_blocks.project import Project
from jupyter_blocks.samecode import same_code

__all__ = ["notebook_from_pipeline", "settings_left_out"]


def notebook_from_pipeline(project: Project, pipeline: Pipeline) -> dict[str, Any]:
    """The notebook, as a JSON document of nbformat 4.5; the same for the same pipeline.

    A title, a cell with the imports, one with the variables, and one or more per block in an order
    in which they can run.
    Raises `ProjectError` where a block file cannot be read, where the pipeline was exported from a
    notebook that is still there, or where no notebook would give its files again.
    """
    if pipeline.notebook and (project.root / pipeline.notebook).is_file():
        raise ProjectError(
            f"The pipeline was exported from {pipeline.notebook}, which is still there.",
            pipeline=pipeline.name,
            hint="Open that notebook.",
        )
    texts = {block.name: _text(project, pipeline, block) for block in pipeline.blocks}
    helpers = _helpers(project, pipeline)
    for setup_first in (False, True) if pipeline.notebook else ():
        cells = _plain_cells(pipeline, texts, helpers, setup_first=setup_first)
        document = _document(pipeline, cells)
        if cells and _gives_the_same(project, pipeline, document, texts):
            return document
    document = _document(pipeline, _decorated_cells(pipeline, texts, helpers))
    if pipeline.notebook:
        _require_valid(project, pipeline, document)
    return document


def settings_left_out(pipeline: Pipeline) -> list[str]:
    """What metadata.yaml says and a notebook has no place for, each as a clause for people."""
    said: dict[str, Any] = {
        "'executor_config' of the pipeline": pipeline.executor_config,
        "'concurrency_config' of the pipeline": pipeline.concurrency_limit,
    }
    for block in pipeline.blocks:
        configuration = {
            key: value for key, value in block.configuration.items() if key != "file_path"
        }
        is_labelled = block.label not in ("", block.name)
        said |= {
            f"'name' of block '{block.name}'": block.label if is_labelled else "",
            f"'configuration' of block '{block.name}'": configuration,
            f"the conditions of block '{block.name}'": block.conditions,
            f"the callbacks of block '{block.name}'": block.callbacks,
        }
    return [what for what, value in said.items() if value]


def _document(pipeline: Pipeline, cells: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "cells": [_cell("markdown", "title", f"# {pipeline.name}", {}), *cells],
        "metadata": {
            "kernelspec": {
                "display_name": "Python 3 (ipykernel)",
                "language": "python",
                "name": "python3",
            },
            "language_info": {"name": "python"},
            METADATA_KEY: _notebook_settings(pipeline),
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


# one cell for each block


def _decorated_cells(
    pipeline: Pipeline, texts: Mapping[str, str], helpers: str | None
) -> list[dict[str, Any]]:
    names = _cell_names(pipeline)
    blocks = [pipeline.block(name) for name in pipeline.graph.order]
    sources = [_source(texts[block.name], pipeline) for block in blocks]
    cells = [_cell("code", "imports", _imports(blocks, sources), {"tags": ["imports"]})]
    cells += _setup_cells(pipeline, _source(helpers, pipeline) if helpers else "")
    for block, source in zip(blocks, sources, strict=True):
        metadata = _cell_metadata(block, names, block.upstream)
        cells.append(_cell("code", names[block.name], source, metadata))
    return cells


def _setup_cells(pipeline: Pipeline, functions: str) -> list[dict[str, Any]]:
    cells = []
    if pipeline.variables:
        source = "\n".join(f"{name} = {value!r}" for name, value in pipeline.variables.items())
        cells.append(_cell("code", "parameters", source, {"tags": ["parameters"]}))
    if functions:
        cells.append(_cell("code", "functions", functions, {"tags": ["functions"]}))
    return cells


# plain cells, as they were


def _plain_cells(
    pipeline: Pipeline, texts: Mapping[str, str], helpers: str | None, *, setup_first: bool
) -> list[dict[str, Any]]:
    """Cells for files that were exported from plain cells; none for others."""
    outputs = {
        block.name: block.binding.outputs if block.binding else () for block in pipeline.blocks
    }
    try:
        found = plain_cells(texts, outputs, helpers, setup_first=setup_first)
    except (SyntaxError, ValueError):
        return []
    cells: dict[str, list[dict[str, Any]]] = {"imports": [], "functions": [], "block": []}
    seen: set[str] = set()
    for cell in found:
        tags: dict[str, Any] = {"tags": [cell.kind]}
        if cell.kind == "test":
            tags = {"tags": [f"test:{cell.block}"]}
        elif cell.block:
            tags = _plain_metadata(pipeline.block(cell.block), is_first=cell.block not in seen)
            seen.add(cell.block)
        kind = cell.kind if cell.kind in cells else "block"
        cells[kind].append(_cell("code", cell.name, cell.source, tags, cell.id))
    return [*cells["imports"], *_setup_cells(pipeline, ""), *cells["functions"], *cells["block"]]


def _plain_metadata(block: Block, *, is_first: bool) -> dict[str, Any]:
    """Tags and settings of a cell; those that say more than the name are on the first one."""
    if not is_first:
        return {"tags": [f"{block.type.tag}:{block.name}"]}
    data = {source.block for source in block.binding.inputs.values()} if block.binding else set()
    order = [name for name in block.upstream if name not in data]
    return _cell_metadata(block, {name: name for name in (block.name, *order)}, order)


def _gives_the_same(
    project: Project,
    pipeline: Pipeline,
    document: Mapping[str, Any],
    texts: Mapping[str, str],
) -> bool:
    """Whether exporting the notebook gives the code that is in the files."""
    notebook, draft = _analyzed(project, pipeline, document)
    if not draft.is_valid:
        return False
    again, problems = exported_texts(draft, notebook, project.root)
    return not problems and all(
        same_code(without_header(texts[block.name]), without_header(again.get(block.file, "")))
        for block in pipeline.blocks
    )


def _analyzed(
    project: Project, pipeline: Pipeline, document: Mapping[str, Any]
) -> tuple[Notebook, NotebookPipeline]:
    path = project.root / (pipeline.notebook or "")
    data = json.dumps(document).encode()
    notebook = parse_notebook(data, path.with_suffix(".ipynb"))
    return notebook, analyze_notebook(notebook, pipeline=pipeline.name)


def _require_valid(project: Project, pipeline: Pipeline, document: Mapping[str, Any]) -> None:
    """Raise `ProjectError` where export would refuse the notebook."""
    _, draft = _analyzed(project, pipeline, document)
    for problem in draft.problems:
        if problem.severity == "error":
            raise ProjectError(
                f"No notebook can be made that gives the files of the pipeline again: {problem}",
                pipeline=pipeline.name,
                hint=f"Bring {pipeline.notebook} back, from version control for example.",
            )


def _cell_names(pipeline: Pipeline) -> Mapping[str, str]:
    """Block name -> a name that a tag can hold; they differ where Mage allows more."""
    names: dict[str, str] = {}
    for block in pipeline.blocks:
        name = block.name if not block_name_problem(block.name) else module_name(block.name)
        while name in names.values():
            name = f"{name}_2"
        names[block.name] = name
    return names


def _cell(
    kind: str, name: str, source: str, metadata: dict[str, Any], cell_id: str = ""
) -> dict[str, Any]:
    digest = hashlib.sha256(f"{kind}\0{name}".encode()).hexdigest()[:8]
    lines = source.split("\n")
    cell: dict[str, Any] = {
        "cell_type": kind,
        "id": cell_id or f"{name[:48].replace('_', '-')}-{digest}",
        "metadata": metadata,
        "source": [*(f"{line}\n" for line in lines[:-1]), lines[-1]],
    }
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    return cell


def _imports(blocks: Sequence[Block], sources: Sequence[str]) -> str:
    """The decorators, which Mage gives its files without an import."""
    names = {block.type.name for block in blocks}
    if any("@test" in source for source in sources):
        names.add("test")
    return f"from jupyter_blocks.decorators import {', '.join(sorted(names))}"


def _text(project: Project, pipeline: Pipeline, block: Block) -> str:
    if block.content is not None:
        return block.content
    return _read(
        project.block_file(block), pipeline, f"{block.file} of block '{block.name}'", block
    )


def _helpers(project: Project, pipeline: Pipeline) -> str | None:
    if not pipeline.notebook or not pipeline.helpers:
        return None
    return _read(project.root / pipeline.helpers, pipeline, pipeline.helpers)


def _read(file: Path, pipeline: Pipeline, what: str, block: Block | None = None) -> str:
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError(
            f"The file {what} cannot be read: {error}.",
            pipeline=pipeline.name,
            block=block.name if block else None,
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _source(text: str, pipeline: Pipeline) -> str:
    """The code of a file as a cell: without header, and without what the setup cells have."""
    code = without_header(text)
    if code == text or not pipeline.helpers:
        return code.strip("\n")
    lines = code.split("\n")
    module = f"helpers.{pipeline.name}"
    for node in reversed(ast.parse(code).body):
        names = [alias.name for alias in getattr(node, "names", ())]
        if (isinstance(node, ast.ImportFrom) and node.module == module) or module in names:
            del lines[node.lineno - 1 : node.end_lineno]
    return "\n".join(lines).strip("\n")


def _cell_metadata(
    block: Block, names: Mapping[str, str], upstream: Sequence[str]
) -> dict[str, Any]:
    upstream = [f"upstream:{names[name]}" for name in upstream]
    metadata: dict[str, Any] = {"tags": [f"{block.type.tag}:{names[block.name]}", *upstream]}
    settings = _block_settings(block)
    if settings:
        metadata[METADATA_KEY] = settings
    return metadata


def _block_settings(block: Block) -> dict[str, Any]:
    is_sensor = block.type.name == "sensor"
    settings = {
        "executor": block.executor_type,
        "executor_config": dict(block.executor_config) or None,
        "resources": dict(block.resources) or None,
        "retries": _retries(block.retry),
        "timeout": block.sensor.timeout_s if is_sensor else block.timeout_s,
        "poll_interval": block.sensor.poll_interval_s if is_sensor else None,
        "cache": None if block.cache else False,
    }
    return {key: value for key, value in settings.items() if value is not None}


def _notebook_settings(pipeline: Pipeline) -> dict[str, Any]:
    name = pipeline.name if not block_name_problem(pipeline.name) else module_name(pipeline.name)
    settings = {
        "pipeline": name,
        "executor": pipeline.executor_type,
        "retries": _retries(pipeline.retry),
        "type": pipeline.type if pipeline.type != "python" else None,
    }
    return {key: value for key, value in settings.items() if value is not None}


def _retries(retry: RetryPolicy | None) -> dict[str, Any] | None:
    if retry is None:
        return None
    return {
        "retries": retry.retries,
        "delay": retry.delay_s,
        "max_delay": retry.max_delay_s,
        "exponential_backoff": retry.exponential_backoff,
    }
