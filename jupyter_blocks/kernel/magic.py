"""The magic `%blocks`: what there is, runs, stored values. One function for each word."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from jupyter_blocks.errors import BlocksError, UsageError, VariableNotFoundError
from jupyter_blocks.graphnodes import notebook_nodes
from jupyter_blocks.kernel.pictures import (
    Cell,
    Picture,
    graph_picture,
    preview_picture,
    table_picture,
)
from jupyter_blocks.kernel.running import drive
from jupyter_blocks.kernel.session import Session
from jupyter_blocks.kernel.view import View, Views
from jupyter_blocks.launch import RunRequest, prepare
from jupyter_blocks.opening import open_target
from jupyter_blocks.plan import Action
from jupyter_blocks.settings import did_you_mean
from jupyter_blocks.variables.manifest import Manifest
from jupyter_blocks.wording import ago, bytes_text, rows_text, size_of

__all__ = ["HELP", "RUN_OPTIONS", "WORDS", "execute"]

HELP = """\
%blocks                     the blocks: what is stored, fresh or stale
%blocks graph               a picture of the DAG
%blocks run                 run the saved notebook as a pipeline
    --changed               only what is stale
    --from NAME|here        this block and those after it; here: the block that ran last
    --to NAME, --block NAME this block and those before it; only this block
    --executor TYPE         on this executor
    --param NAME=VALUE      with this parameter
%blocks load NAME           set a variable, or every output of a block, from the store
%blocks show NAME           schema, statistics and first rows of what is stored
%blocks export              write the block files
%blocks check               prove that the pipeline computes what the notebook computes
%blocks use FILE            say which notebook this kernel works for
%blocks on, %blocks off     begin or stop to provide and store values in this kernel
%blocks help                this text"""

RUN_OPTIONS = ("--block", "--changed", "--executor", "--from", "--param", "--to")
_ROWS = 10


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"%blocks {message}.", hint="%blocks help says what there is.")


def execute(session: Session, line: str) -> None:
    """Do what a `%blocks` line says; mistakes are told in one line, not as a traceback."""
    try:
        words = shlex.split(line) or ["status"]
        work = WORDS.get(words[0])
        if work is None:
            hint = did_you_mean(words[0], WORDS) or "%blocks help says what there is."
            raise UsageError(f"There is no '%blocks {words[0]}'.", hint=hint)
        work(session, words[1:])
    except (BlocksError, ValueError) as error:
        print(error, file=sys.stderr)


# looking


def _status(session: Session, _words: Sequence[str]) -> None:
    view = _view(session)
    session.storer.flush()
    fresh = view.freshness()
    stored = view.store.blocks(view.draft.name)
    now = time.time()
    rows: list[list[Cell]] = []
    for block in view.draft.blocks:
        decision, manifest = fresh[block.name], stored.get(block.name)
        state = _state(block.type.name, decision.action, decision.reason)
        rows.append([block.name, block.type.tag, state, *_facts(manifest, now)])
    columns = ("block", "type", "state", ("rows", "r"), ("size", "r"), "stored", "run")
    errors = [problem for problem in view.draft.problems if problem.severity == "error"]
    note = "\n".join(str(problem) for problem in errors)
    if not session.is_active:
        note = f"{note}\nValues are not provided and not stored here (off).".strip()
    _show(table_picture(view.draft.name, columns, rows, note, view.notebook.name))


def _state(kind: str, action: Action, reason: str) -> Cell:
    if kind == "sensor":
        return ("asked in every run", "dim")
    if action is not Action.RUN:
        return ("fresh", "good")
    return ("never run", "dim") if reason == "never run" else (f"stale: {reason}", "bad")


def _facts(manifest: Manifest | None, now: float) -> list[Cell]:
    """Rows and size of what a block stored, when and in which run."""
    if manifest is None:
        return ["", "", "", ""]
    outputs = manifest.summary()
    size = size_of(outputs)
    return [
        (rows_text(outputs), "r"),
        (bytes_text(size) if size else "", "r"),
        ago(manifest.created_at, now),
        (manifest.run_id, "dim"),
    ]


def _graph(session: Session, _words: Sequence[str]) -> None:
    view = _view(session)
    _show(graph_picture(view.draft.name, notebook_nodes(view.draft)))


def _show_value(session: Session, words: Sequence[str]) -> None:
    view = _view(session)
    if not words:
        raise UsageError("Name a block or an output: %blocks show NAME.")
    manifest, outputs = _stored(session, view, words[0])
    for output in outputs:
        made = f"run {manifest.run_id}, {ago(manifest.created_at, time.time())}"
        preview, image = view.store.preview(manifest, output), view.image(manifest, output)
        about = f"output of {manifest.block}, {made}"
        _show(preview_picture(output, about, preview, _ROWS, image))
    if not outputs:
        print(f"Block '{manifest.block}' ran and stored nothing.")


def _help(_session: Session, _words: Sequence[str]) -> None:
    print(HELP)


# values


def _load(session: Session, words: Sequence[str]) -> None:
    view = _view(session)
    if not words:
        raise UsageError("Name a block or an output: %blocks load NAME.")
    manifest, outputs = _stored(session, view, words[0])
    stale = view.staleness(manifest.block)
    for output in outputs:
        session.set_value(output, manifest.block, output, manifest)
    state = f"stale: {stale}" if stale else "fresh"
    age = ago(manifest.created_at, time.time())
    print(f"Loaded {', '.join(outputs)} from block '{manifest.block}' ({age}, {state}).")


def _stored(session: Session, view: View, name: str) -> tuple[Manifest, list[str]]:
    """The stored outputs that a name means: all of a block, or one."""
    session.storer.flush()
    block_name, _, output = name.partition(".")
    block = view.find(block_name)
    if block is None:
        known = [each.name for each in view.draft.blocks]
        hint = did_you_mean(block_name, known) or f"Blocks: {', '.join(known)}."
        raise UsageError(f"There is no block and no output '{name}'.", hint=hint)
    manifest = view.store.latest(view.draft.name, block.name)
    if manifest is None:
        raise VariableNotFoundError(
            f"Block '{block.name}' has no stored outputs.", hint="Run its cell, or %blocks run."
        )
    if output or (block.name != block_name and block_name in manifest.outputs):
        wanted = output or block_name
        manifest.output(wanted)
        return manifest, [wanted]
    return manifest, list(manifest.outputs)


# working


def _run_parser() -> ArgumentParser:
    parser = _Parser(prog="run", add_help=False, allow_abbrev=False)
    parser.add_argument("--changed", action="store_true")
    parser.add_argument("--from", dest="from_block")
    parser.add_argument("--to", dest="to_block")
    parser.add_argument("--block", action="append", default=[])
    parser.add_argument("--executor")
    parser.add_argument("--param", action="append", default=[])
    return parser


def _run(session: Session, words: Sequence[str]) -> None:
    view = _view(session)
    args = _run_parser().parse_args(list(words))
    session.storer.flush()
    _say_unsaved(session)
    opened = open_target(str(view.notebook.path))
    launch = prepare(opened.project, opened.pipeline, _request(session, args))
    for problem in (*opened.warnings, *launch.warnings):
        if problem.severity == "warning":
            print(problem, file=sys.stderr)
    drive(launch, _Canvas())


def _request(session: Session, args: Namespace) -> RunRequest:
    if args.from_block == "here" and not session.last_block:
        raise UsageError("No block has run in this kernel yet.", hint="Name it: --from NAME.")
    return RunRequest(
        params=tuple(args.param),
        executor=args.executor,
        blocks=tuple(args.block),
        from_block=session.last_block if args.from_block == "here" else args.from_block,
        to_block=args.to_block,
        changed=args.changed,
    )


def _say_unsaved(session: Session) -> None:
    if _exported(session.view()) != _exported(Views().of(session.live.saved())):
        print("Blocks have changed since the notebook was saved; what runs is the saved one.")


def _exported(view: View | None) -> Mapping[str, str]:
    return view.texts if view is not None and view.draft.is_valid else {}


def _export(session: Session, words: Sequence[str]) -> None:
    _command("export", session, words)


def _check(session: Session, words: Sequence[str]) -> None:
    _command("check", session, words)


def _command(name: str, session: Session, words: Sequence[str]) -> None:
    """Run a command of `jupyter blocks` in a process of its own; Ctrl-C ends it."""
    path = _view(session).notebook.path
    session.storer.flush()
    command = [sys.executable, "-m", "jupyter_blocks", name, path.name, *words]
    with subprocess.Popen(  # noqa: S603  # our own command
        command,
        cwd=path.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            for line in process.stdout or ():
                print(line, end="")
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            print((process.stdout.read() if process.stdout else ""), end="")


# switches


def _on(session: Session, _words: Sequence[str]) -> None:
    session.is_on = True
    print("Cells get their inputs from the store, and what they give is stored.")


def _off(session: Session, _words: Sequence[str]) -> None:
    session.is_on = False
    print("Cells run as if Jupyter Blocks were not there, until %blocks on.")


def _use(session: Session, words: Sequence[str]) -> None:
    if len(words) != 1 or not Path(words[0]).is_file():
        raise UsageError("Name a notebook: %blocks use flights.ipynb.")
    session.live.path = Path(words[0]).resolve()
    session.live.chosen = True
    print(f"This kernel works for {session.live.path.name}.")


WORDS: Mapping[str, Callable[[Session, Sequence[str]], None]] = {
    "check": _check,
    "export": _export,
    "graph": _graph,
    "help": _help,
    "load": _load,
    "off": _off,
    "on": _on,
    "run": _run,
    "show": _show_value,
    "status": _status,
    "use": _use,
}
"""Every word that may follow `%blocks`."""


# odds and ends


def _view(session: Session) -> View:
    session.locate()
    view = session.view()
    if view is None and session.live.path is None:
        raise UsageError(
            "It is not known which notebook this kernel works for.",
            hint="Save it and run one of its cells, or say it: %blocks use FILE.",
        )
    if view is None or not view.draft.blocks:
        raise UsageError(
            "No cell of the notebook has a block tag.",
            hint="Tag cells 'loader', 'transformer' or 'exporter', and save the notebook.",
        )
    return view


def _show(picture: Picture) -> None:
    from IPython.display import display

    display(picture)


class _Canvas:
    """Draws each picture in place of the one before."""

    def __init__(self) -> None:
        self._handle: Any = None

    def __call__(self, picture: Picture) -> None:
        from IPython.display import display

        if self._handle is None:
            self._handle = display(picture, display_id=True)
        else:
            self._handle.update(picture)
