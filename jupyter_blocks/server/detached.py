"""The process of one run that a server started: it lives on when the server ends.

Reads a request from stdin and answers on stdout with one line of JSON: the id of the run, or what
is wrong. From then on everything is in the journal, and what the process prints in a log file.
Imports nothing of Jupyter, so that it starts as fast as `jupyter blocks run`.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from jupyter_blocks.errors import BlocksError, ExecutorError, ValidationError
from jupyter_blocks.launch import Launch, RunRequest, prepare
from jupyter_blocks.project import Project, open_project

__all__ = ["dispatch_log", "main", "refuse_executors"]

_TUPLES = ("params", "blocks")


def dispatch_log(project: Project, run_id: str) -> Path:
    """Where the process that drives a run writes what it has to say."""
    return project.state_dir / "logs" / f"{run_id}.log"


def main() -> int:
    """Plan the run that stdin asks for, answer, and drive it to its end."""
    try:
        asked = json.load(sys.stdin)
        launch = _prepared(asked)
    except BlocksError as error:
        _answer(_fault(error))
        return error.exit_code
    return _drive(launch)


def _prepared(asked: dict[str, Any]) -> Launch:
    project = open_project(asked["project"])
    wishes: dict[str, Any] = {
        name: tuple(v) if name in _TUPLES else v for name, v in asked["request"].items()
    }
    launch = prepare(project, project.pipeline(asked["pipeline"]), RunRequest(**wishes))
    refuse_executors({block.executor for block in launch.plan.running}, asked["allowed_executors"])
    return launch


def refuse_executors(names: set[str], allowed: list[str]) -> None:
    """Raise `ExecutorError` for executors that the server does not allow; empty: all are."""
    refused = sorted(names - set(allowed)) if allowed else []
    if refused:
        raise ExecutorError(
            f"This server does not allow the executor '{refused[0]}'.",
            hint=f"Allowed: {', '.join(sorted(allowed))}.",
        )


def _drive(launch: Launch) -> int:
    log = dispatch_log(launch.project, launch.plan.run_id)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        os.dup2(file.fileno(), 2)
        answer = os.dup(1)
        os.dup2(file.fileno(), 1)
    os.set_inheritable(answer, False)
    with os.fdopen(answer, "w") as stream:
        try:
            with launch.dispatcher() as dispatcher:
                with suppress(OSError):  # the server may be gone by now; the run goes on
                    stream.write(json.dumps({"run_id": launch.plan.run_id}) + "\n")
                    stream.close()
                state = dispatcher.run()
        except BlocksError as error:
            if stream.closed:
                raise
            stream.write(json.dumps(_fault(error)) + "\n")
            return error.exit_code
    launch.finish(state)
    return 0


def _answer(document: dict[str, Any]) -> None:
    print(json.dumps(document), flush=True)


def _fault(error: BlocksError) -> dict[str, Any]:
    kind = type(error).__name__
    fault: dict[str, Any] = {"kind": kind, "message": str(error).removesuffix(error.hint).rstrip()}
    if isinstance(error, ValidationError):
        fault["problems"] = [vars(problem) for problem in error.problems]
    return {"error": {**fault, "hint": error.hint}}


if __name__ == "__main__":
    raise SystemExit(main())
