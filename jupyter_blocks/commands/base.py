"""What every command is made of, and the arguments several of them share."""

from __future__ import annotations

from argparse import Action, ArgumentParser, Namespace
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_blocks.console import Console
from jupyter_blocks.errors import BlocksError, Problem, UsageError
from jupyter_blocks.executors.table import executor_names
from jupyter_blocks.journal import Journal
from jupyter_blocks.pipeline import Pipeline
from jupyter_blocks.project import Project, find_project, open_project, resolve_target

__all__ = [
    "Command",
    "add_json",
    "add_project",
    "add_run",
    "add_target",
    "block_completer",
    "complete",
    "executor_completer",
    "project_of",
    "show_warnings",
]

Completer = Callable[..., Iterable[str]]
"""Called by argcomplete with `prefix` and `parsed_args`."""


@dataclass(frozen=True)
class Command:
    """One command of `jupyter blocks`."""

    about: str
    """What it does, as one or a few sentences."""
    examples: tuple[str, ...]
    """Command lines worth copying, without `jupyter blocks`."""
    configure: Callable[[ArgumentParser], None]
    """Adds the command's arguments."""
    execute: Callable[[Namespace, Console], int]
    """Does the work and answers with the exit code; mistakes are raised as `BlocksError`."""
    exits: str = "0 on success; 2 if the request or the project is wrong."
    """Its exit codes, for the help text."""


def add_json(parser: ArgumentParser) -> None:
    """`--json`."""
    parser.add_argument(
        "--json", action="store_true", help="print one JSON document on stdout, all else on stderr"
    )


def add_target(parser: ArgumentParser) -> None:
    """`TARGET [PIPELINE]`."""
    target = parser.add_argument(
        "target",
        metavar="TARGET",
        help="a notebook (.ipynb, or .py with cells), a project folder, or a pipeline of the "
        "project you are in",
    )
    complete(target, _complete_target)
    pipeline = parser.add_argument(
        "pipeline",
        metavar="PIPELINE",
        nargs="?",
        help="pipeline of the project folder; may be left out if it has only one",
    )
    complete(pipeline, _complete_pipeline)


def add_project(parser: ArgumentParser) -> None:
    """`--project DIR`, for commands that are about what has been run."""
    parser.add_argument(
        "--project", metavar="DIR", help="project folder (default: the one you are in)"
    )


def add_run(parser: ArgumentParser) -> None:
    """`RUN` and `--project DIR`."""
    run = parser.add_argument(
        "run", metavar="RUN", help="id of a run, the beginning of one, or 'last'"
    )
    complete(run, _complete_run)
    add_project(parser)


def project_of(args: Namespace) -> Project:
    """The project given with `--project`, else the one around the current folder."""
    if args.project:
        return open_project(Path(args.project))
    project = find_project(Path.cwd())
    if project is None:
        raise UsageError(
            "You are not in a project.",
            hint="Go to the folder of a project, or name it with --project DIR.",
        )
    return project


def show_warnings(problems: Iterable[Problem], console: Console) -> None:
    """Say what is odd, each problem on a line of its own on stderr."""
    for problem in problems:
        if problem.severity == "warning":
            console.warning(str(problem))


# completion


def complete(action: Action, completer: Completer) -> None:
    """Let argcomplete offer the completer's words for an argument."""
    action.completer = completer  # type: ignore[attr-defined]  # argcomplete's own attribute


def executor_completer(**_: Any) -> Iterable[str]:
    """Names of executors."""
    return executor_names()


def block_completer(parsed_args: Namespace, **_: Any) -> Iterable[str]:
    """Names of the blocks of the pipeline that was named before."""
    pipeline = _named_pipeline(parsed_args)
    return [block.name for block in pipeline.blocks] if pipeline else []


def _named_pipeline(args: Namespace) -> Pipeline | None:
    try:
        if hasattr(args, "run"):
            project = project_of(args)
            with Journal(project.state_dir) as journal:
                return project.pipeline(journal.find(args.run).pipeline)
        target = resolve_target(args.target, args.pipeline, Path.cwd())
        project = target.project or open_project(Path(args.target).parent)
        return project.pipeline(target.pipeline_name or project.pipelines()[0])
    except (BlocksError, OSError, IndexError):
        return None


def _complete_target(prefix: str, **_: Any) -> Iterable[str]:
    folder = Path(prefix).parent if not prefix.endswith("/") else Path(prefix)
    found = [*folder.glob("*.ipynb"), *(path.parent for path in folder.glob("*/metadata.yaml"))]
    project = find_project(Path.cwd())
    return [*(str(path) for path in found), *(project.pipelines() if project else ())]


def _complete_pipeline(parsed_args: Namespace, **_: Any) -> Iterable[str]:
    folder = Path(parsed_args.target)
    return open_project(folder).pipelines() if folder.is_dir() else ()


def _complete_run(parsed_args: Namespace, **_: Any) -> Iterable[str]:
    project = project_of(parsed_args)
    with Journal(project.state_dir) as journal:
        return ["last", *(record.run_id for record in journal.runs())]
