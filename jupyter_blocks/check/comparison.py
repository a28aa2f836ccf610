"""The part of `check` that compares stored values, in a process of its own.

It loads the user's values, one pair at a time, and with them the user's code; whatever becomes of
it, the check goes on. Reads a JSON task and writes a line of JSON for each output it has compared.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from jupyter_blocks.check.inkernel import stored_place
from jupyter_blocks.compare import Verdict, compare
from jupyter_blocks.errors import BlocksError
from jupyter_blocks.variables.manifest import Manifest
from jupyter_blocks.variables.store import VariableStore

__all__ = ["compare_outputs", "main"]


def compare_outputs(task: Mapping[str, Any], answers: TextIO) -> None:
    """Compare outputs of two runs.

    The task has `pipeline`, `folders` to import from, `outputs` (pairs of block and name), and two
    `sides`, each with `store`, `run_id` and `is_notebook`. Each line of the answer is
    `[block, name, verdict]`.
    """
    sys.path[:0] = task["folders"]
    sides = [_Side(task["pipeline"], **side) for side in task["sides"]]
    for block, name in task["outputs"]:
        verdict = _verdict(sides, block, name)
        print(json.dumps([block, name, asdict(verdict)]), file=answers, flush=True)


class _Side:
    """The stored values of one run."""

    def __init__(self, pipeline: str, store: str, run_id: str, is_notebook: bool) -> None:
        self.store = VariableStore(store)
        self._pipeline = pipeline
        self._run_id = run_id
        self._is_notebook = is_notebook

    def manifest(self, block: str, name: str) -> Manifest | None:
        """What is stored for an output; none if nothing is."""
        if not self._is_notebook:
            found = self.store.committed(self._pipeline, self._run_id, block)
            return found if found is not None and name in found.outputs else None
        try:
            return self.store.manifest(**stored_place(self._pipeline, self._run_id, block, name))
        except BlocksError:
            return None


def _verdict(sides: Sequence[_Side], block: str, name: str) -> Verdict:
    manifests = [side.manifest(block, name) for side in sides]
    one, other = manifests
    if one is None or other is None:
        return Verdict("different", f"stored by the {'notebook' if one else 'pipeline'} only")
    for stored in (one.outputs[name], other.outputs[name]):
        if stored.why_not_stored:
            return Verdict("not_comparable", f"not stored: {stored.why_not_stored}")
    if one.outputs[name].digest == other.outputs[name].digest:
        return Verdict("equal")
    try:
        return compare(sides[0].store.load(one, name), sides[1].store.load(other, name))
    except MemoryError:
        return Verdict("not_comparable", "the two values do not fit into memory together")
    except Exception as error:  # values decide what loading and comparing them raises
        return Verdict("not_comparable", f"comparing raises {type(error).__name__}: {error}")


def main(arguments: Sequence[str]) -> None:
    """Do a task: the file it is in, the file for the answers."""
    task, answers = map(Path, arguments)
    with answers.open("w", encoding="utf-8") as file:
        compare_outputs(json.loads(task.read_text("utf-8")), file)


if __name__ == "__main__":
    main(sys.argv[1:])
