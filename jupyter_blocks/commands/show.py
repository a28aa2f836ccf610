"""`jupyter blocks show`: what is stored, without loading it."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_blocks.commands.base import Command, add_json
from jupyter_blocks.console import Console
from jupyter_blocks.errors import UsageError, VariableNotFoundError
from jupyter_blocks.opening import locate_target
from jupyter_blocks.previewtext import preview_text
from jupyter_blocks.project import Project, open_project
from jupyter_blocks.tables import Column, Painted, table
from jupyter_blocks.variables.manifest import Manifest
from jupyter_blocks.variables.store import VariableStore
from jupyter_blocks.wording import ago, bytes_text, count_text

__all__ = ["SHOW", "show_output"]

DEFAULT_ROWS = 10


@dataclass(frozen=True)
class _Wish:
    """What the words of the command line name."""

    project: Project
    pipeline: str
    block: str | None
    output: str | None


def _configure(parser: ArgumentParser) -> None:
    parser.usage = "%(prog)s TARGET [PIPELINE] [BLOCK [OUTPUT]] [--rows N] [--json]"
    parser.add_argument(
        "target",
        metavar="TARGET",
        help="a notebook, a project folder, or a pipeline of the project you are in",
    )
    parser.add_argument(
        "names",
        metavar="NAME",
        nargs="*",
        help="PIPELINE of the project folder, if it has several; BLOCK; one OUTPUT of the block",
    )
    parser.add_argument(
        "--rows",
        metavar="N",
        type=int,
        default=DEFAULT_ROWS,
        help=f"rows of a table (default: {DEFAULT_ROWS})",
    )
    add_json(parser)


def _execute(args: Namespace, console: Console) -> int:
    wish = _wish(args.target, list(args.names))
    store = VariableStore(wish.project.variables_root)
    stored = store.blocks(wish.pipeline)
    if wish.block is None:
        _show_all(wish, stored, console)
        return 0
    pipeline = wish.project.pipeline(wish.pipeline)
    name = pipeline.block(wish.block).name
    if name not in stored:
        raise VariableNotFoundError(
            f"Block '{name}' of pipeline '{wish.pipeline}' has no stored outputs.",
            hint=f"Run it: `jupyter blocks run {args.target} --to {name}`.",
        )
    manifest = stored[name]
    outputs = [wish.output] if wish.output else list(manifest.outputs)
    for output in outputs:
        manifest.output(output)
    if console.as_json:
        documents = {output: _preview(store, manifest, output, args.rows) for output in outputs}
        one = len(outputs) == 1
        console.document(documents[outputs[0]] if one else {"block": name, "outputs": documents})
        return 0
    if not outputs:
        console.note(f"Block '{name}' ran and stored nothing.")
    for number, output in enumerate(outputs):
        if number:
            console.result()
        show_output(store, manifest, output, args.rows, console)
    return 0


def show_output(
    store: VariableStore, manifest: Manifest, output: str, rows: int, console: Console
) -> None:
    """Print one stored output with where and when it was made."""
    style = console.result_style
    made = f"{manifest.block}, run {manifest.run_id}, {ago(manifest.created_at, time.time())}"
    console.result(f"{style.paint(output, 'bold')}  {style.paint(made, 'dim')}")
    console.result(preview_text(_preview(store, manifest, output, rows), rows, style))


def _wish(target: str, names: list[str]) -> _Wish:
    """What is meant; a project folder with one pipeline needs no name of it."""
    pipeline = None
    if (Path(target) / "metadata.yaml").is_file():
        known = open_project(target).pipelines()
        if names and (names[0] in known or len(known) != 1):
            pipeline = names.pop(0)
    if len(names) > 2:
        raise UsageError(
            f"Too many words: {' '.join(names)}.", hint="Name a pipeline, a block and an output."
        )
    project, pipeline_name = locate_target(target, pipeline, Path.cwd())
    block, output = (*names, None, None)[:2]
    return _Wish(project, pipeline_name, block, output)


def _preview(store: VariableStore, manifest: Manifest, output: str, rows: int) -> dict[str, Any]:
    """The preview with `rows` rows, from the data where the stored sample has fewer."""
    preview = store.preview(manifest, output)
    sample = preview.get("sample")
    if not preview.get("columns") or not isinstance(sample, list):
        return preview
    if rows > len(sample) and len(sample) < int(preview.get("rows") or 0):
        page = store.page(manifest, output, 0, rows)
        return {**preview, **{key: page[key] for key in ("sample", "index") if key in page}}
    return {**preview, "sample": sample[:rows]}


def _show_all(wish: _Wish, stored: dict[str, Manifest], console: Console) -> None:
    entries = [
        (manifest, name, output)
        for manifest in stored.values()
        for name, output in manifest.outputs.items()
    ]
    if console.as_json:
        outputs = [
            {
                "block": manifest.block,
                "name": name,
                "type": output.type,
                "rows": output.rows,
                "bytes": output.bytes,
                "run_id": manifest.run_id,
                "created_at": manifest.created_at,
            }
            for manifest, name, output in entries
        ]
        console.document({"pipeline": wish.pipeline, "outputs": outputs})
        return
    if not entries:
        console.note(f"Nothing is stored for pipeline '{wish.pipeline}' yet.")
        return
    now = time.time()
    rows = [
        (
            manifest.block,
            name,
            output.type,
            count_text(output.rows) if output.rows is not None else "",
            bytes_text(output.bytes),
            ago(manifest.created_at, now),
            Painted(manifest.run_id, "dim"),
        )
        for manifest, name, output in entries
    ]
    columns = (
        Column("block"),
        Column("output"),
        Column("type"),
        Column("rows", right=True),
        Column("size", right=True),
        Column("stored"),
        Column("run"),
    )
    console.result(table(columns, rows, style=console.result_style))


SHOW = Command(
    about=(
        "Show what is stored: every latest output of a pipeline, those of one block, or one of "
        "them\nwith its schema, statistics and first rows. Nothing large is loaded for it."
    ),
    examples=(
        "show flights.ipynb",
        "show flights.ipynb join_weather",
        "show my_project my_pipeline join_weather joined --rows 50",
        "show flights.ipynb join_weather --json",
    ),
    configure=_configure,
    execute=_execute,
    exits="0 on success; 2 if there is no such pipeline, block or output.",
)
