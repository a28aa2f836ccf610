"""A notebook from an existing pipeline, so that a project without one opens in JupyterLab.

Each block becomes one cell with its decorated function; exporting that notebook gives the same
blocks again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_blocks.block import Block, RetryPolicy, block_name_problem, module_name
from jupyter_blocks.blockfile import parse_header
from jupyter_blocks.cellsettings import METADATA_KEY
from jupyter_blocks.errors import ProjectError
from jupyter_blocks.pipeline import Pipeline
from jupyter_blocks.project import Project

__all__ = ["notebook_from_pipeline"]

_HEADER_LINE = re.compile(r"#.*\n")


def notebook_from_pipeline(project: Project, pipeline: Pipeline) -> dict[str, Any]:
    """The notebook, as a JSON document of nbformat 4.5; the same for the same pipeline.

    A title, a cell with the decorators, one with the variables, and one per block in an order in
    which they can run.
    Raises `ProjectError` where a block file cannot be read, or where the pipeline was exported from
    a notebook that is still there.
    """
    if pipeline.notebook and (project.root / pipeline.notebook).is_file():
        raise ProjectError(
            f"The pipeline was exported from {pipeline.notebook}, which is still there.",
            pipeline=pipeline.name,
            hint="Open that notebook.",
        )
    names = _cell_names(pipeline)
    blocks = [pipeline.block(name) for name in pipeline.graph.order]
    sources = [_source(project, pipeline, block) for block in blocks]
    cells = [
        _cell("markdown", "title", f"# {pipeline.name}", {}),
        _cell("code", "imports", _imports(blocks, sources), {"tags": ["imports"]}),
    ]
    if pipeline.variables:
        source = "\n".join(f"{name} = {value!r}" for name, value in pipeline.variables.items())
        cells.append(_cell("code", "parameters", source, {"tags": ["parameters"]}))
    for block, source in zip(blocks, sources, strict=True):
        cells.append(_cell("code", names[block.name], source, _cell_metadata(block, names)))
    return {
        "cells": cells,
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


def _cell_names(pipeline: Pipeline) -> Mapping[str, str]:
    """Block name -> a name that a tag can hold; they differ where Mage allows more."""
    names: dict[str, str] = {}
    for block in pipeline.blocks:
        name = block.name if not block_name_problem(block.name) else module_name(block.name)
        while name in names.values():
            name = f"{name}_2"
        names[block.name] = name
    return names


def _cell(kind: str, name: str, source: str, metadata: dict[str, Any]) -> dict[str, Any]:
    digest = hashlib.sha256(f"{kind}\0{name}".encode()).hexdigest()[:8]
    lines = source.split("\n")
    cell: dict[str, Any] = {
        "cell_type": kind,
        "id": f"{name[:48].replace('_', '-')}-{digest}",
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


def _source(project: Project, pipeline: Pipeline, block: Block) -> str:
    text = block.content
    if text is None:
        file = project.block_file(block)
        try:
            text = file.read_bytes().decode("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise ProjectError(
                f"The file {block.file} of block '{block.name}' cannot be read: {error}.",
                pipeline=pipeline.name,
                block=block.name,
            ) from error
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if parse_header(text) is not None:
        while match := _HEADER_LINE.match(text):
            text = text[match.end() :]
    return text.strip("\n")


def _cell_metadata(block: Block, names: Mapping[str, str]) -> dict[str, Any]:
    upstream = [f"upstream:{names[name]}" for name in block.upstream]
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
