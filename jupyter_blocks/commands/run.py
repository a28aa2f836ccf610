"""`jupyter blocks run`: export if need be, plan, run, report."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path

from jupyter_blocks.commands.base import (
    Command,
    add_json,
    add_target,
    block_completer,
    complete,
    executor_completer,
    show_warnings,
)
from jupyter_blocks.commands.running import command_line, drive
from jupyter_blocks.console import Console
from jupyter_blocks.errors import UsageError
from jupyter_blocks.launch import Launch, RunRequest, prepare
from jupyter_blocks.opening import open_target
from jupyter_blocks.parameters import parse_runtime_vars
from jupyter_blocks.report import plan_document, plan_table

__all__ = ["RUN"]


def _configure(parser: ArgumentParser) -> None:
    add_target(parser)
    parser.add_argument("--runtime-vars", metavar="JSON", help="parameters as a JSON object")
    parser.add_argument(
        "--param",
        metavar="K=V",
        action="append",
        default=[],
        help="one parameter, read as the type of its default; may be repeated",
    )
    executor = parser.add_argument(
        "--executor", metavar="TYPE", help="run every block on this executor"
    )
    complete(executor, executor_completer)
    _add_selection(parser)
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would run, where and why; run nothing"
    )
    parser.add_argument(
        "--skip-sensors", action="store_true", help="take what sensors wait for as given"
    )
    parser.add_argument("--no-test", action="store_true", help="leave the tests of the blocks out")
    parser.add_argument(
        "--max-workers",
        metavar="N",
        type=_positive,
        help="run at most N blocks at once (default: one for each core)",
    )
    add_json(parser)


def _add_selection(parser: ArgumentParser) -> None:
    block = parser.add_argument(
        "--block",
        metavar="B",
        action="append",
        default=[],
        help="run only this block; may be repeated; inputs come from the store",
    )
    complete(block, block_completer)
    start = parser.add_argument(
        "--from", metavar="B", dest="from_block", help="run this block and those after it"
    )
    complete(start, block_completer)
    end = parser.add_argument(
        "--to", metavar="B", dest="to_block", help="run this block and those before it"
    )
    complete(end, block_completer)
    parser.add_argument(
        "--changed",
        action="store_true",
        help="run what is stale: its code, parameters or inputs changed, or it never ran",
    )
    parser.add_argument(
        "--resume",
        metavar="RUN",
        help="go on with a run: its id, the beginning of one, or 'last'; what it finished is kept",
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)


def _execute(args: Namespace, console: Console) -> int:
    request = _request(args)
    opened = open_target(args.target, args.pipeline, Path.cwd())
    show_warnings(opened.warnings, console)
    launch = prepare(opened.project, opened.pipeline, request)
    show_warnings(launch.warnings, console)
    if args.dry_run:
        _show_plan(launch, console)
        return 0
    return drive(launch, console, command_line("run", args.target, args.pipeline))


def _request(args: Namespace) -> RunRequest:
    runtime_vars = {} if args.runtime_vars is None else parse_runtime_vars(args.runtime_vars)
    for name in (text.partition("=")[0] for text in args.param):
        if name in runtime_vars:
            raise UsageError(f"Parameter '{name}' is given by --param and by --runtime-vars.")
    return RunRequest(
        runtime_vars=runtime_vars,
        params=tuple(args.param),
        executor=args.executor,
        blocks=tuple(args.block),
        from_block=args.from_block,
        to_block=args.to_block,
        changed=args.changed,
        resume=args.resume,
        skip_sensors=args.skip_sensors,
        run_tests=not args.no_test,
        max_workers=args.max_workers,
    )


def _show_plan(launch: Launch, console: Console) -> None:
    if console.as_json:
        console.document(plan_document(launch.plan))
    else:
        console.result(plan_table(launch.plan, console.result_style))


RUN = Command(
    about=(
        "Run a notebook or a pipeline. A notebook is exported first, so that what runs is what it "
        "says now.\nEvery output is stored; blocks run as soon as their inputs are there.\n\n"
        "Ctrl-C stops gracefully; pressed twice, at once. --resume goes on where a run stopped."
    ),
    examples=(
        "run flights.ipynb",
        "run flights.ipynb --param month=2 --changed",
        """run my_project my_pipeline --runtime-vars '{"month": 1}' --json""",
        "run flights.ipynb --to join_weather --dry-run",
        "run flights.ipynb --resume last",
    ),
    configure=_configure,
    execute=_execute,
    exits=(
        "0 all blocks are done; 1 a block failed; 2 the request or the project is wrong and "
        "nothing was run;\n  75 another process drives the run; 130 interrupted."
    ),
)
