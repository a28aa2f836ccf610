"""`jupyter blocks graph`: the blocks and what they read, as text, JSON or SVG."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from jupyter_blocks.commands.base import Command, add_json, add_target, show_warnings
from jupyter_blocks.console import Console
from jupyter_blocks.errors import UsageError
from jupyter_blocks.graphnodes import graph_document, notebook_nodes, pipeline_nodes
from jupyter_blocks.graphsvg import graph_svg
from jupyter_blocks.graphtext import graph_text
from jupyter_blocks.opening import locate_target, read_draft
from jupyter_blocks.project import resolve_target
from jupyter_blocks.wording import plural

__all__ = ["GRAPH"]


def _configure(parser: ArgumentParser) -> None:
    add_target(parser)
    parser.add_argument(
        "--svg",
        metavar="FILE",
        nargs="?",
        const="-",
        help="draw an SVG, into FILE or on stdout",
    )
    add_json(parser)


def _execute(args: Namespace, console: Console) -> int:
    if args.svg and args.json:
        raise UsageError("--svg and --json exclude each other.")
    target = resolve_target(args.target, args.pipeline, Path.cwd())
    if target.notebook is not None:
        draft = read_draft(target.notebook, args.pipeline)
        show_warnings(draft.problems, console)
        name, nodes = draft.name, notebook_nodes(draft)
    else:
        project, name = locate_target(args.target, args.pipeline, Path.cwd())
        pipeline = project.pipeline(name)
        show_warnings(pipeline.warnings, console)
        nodes = pipeline_nodes(pipeline)
    if args.json:
        console.document(graph_document(name, nodes))
    elif args.svg == "-":
        console.result(graph_svg(name, nodes).rstrip())
    elif args.svg:
        Path(args.svg).write_text(graph_svg(name, nodes), "utf-8")
        console.note(f"Wrote {args.svg}: {plural(len(nodes), 'block')}.")
    else:
        console.result(graph_text(nodes, console.result_style))
    return 0


GRAPH = Command(
    about=(
        "Show the blocks of a notebook or a pipeline and what they read. A notebook is only read, "
        "not exported.\nIn the text, a lane runs down from each block to the last one that reads "
        "it."
    ),
    examples=(
        "graph flights.ipynb",
        "graph my_project my_pipeline --json",
        "graph flights.ipynb --svg flights.svg",
    ),
    configure=_configure,
    execute=_execute,
)
