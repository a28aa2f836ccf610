"""The process whose children are killed: warm, and forked for each run, so that many fit a test.

Reads one JSON document a line (`root`, `pipeline`, `resume`, `at`, `told`, `output`) and answers
with one: `{"signal": 9}`, or `{"code": 0}` when all blocks are done.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import jupyter_blocks.commands.run  # noqa: F401 - imported before any fork
from jupyter_blocks.cli import main as jupyter_blocks_main
from tests.crashes.points import install


def main() -> None:
    """Serve until the input ends."""
    for line in sys.stdin:
        document = json.loads(line)
        child = os.fork()
        if child == 0:
            _run(document)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            answer = {"signal": os.WTERMSIG(status)}
        else:
            answer = {"code": os.WEXITSTATUS(status)}
        print(json.dumps(answer), flush=True)


def _run(document: dict[str, Any]) -> None:
    output = os.open(document["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    code = 70
    try:
        told = document.get("told")
        install(document.get("at", ""), Path(told) if told else None)
        words = ["run", document["root"], document["pipeline"], "--max-workers", "1"]
        if document.get("resume"):
            words += ["--resume", "last"]
        code = jupyter_blocks_main(words)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
