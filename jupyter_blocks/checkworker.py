"""The two parts of `check` that run in processes of their own: the notebook, and the comparison.

The first runs the code cells from top to bottom as a kernel would, and stores what each block gave
at the moment its last cell was done. The second loads those values and the pipeline's and compares
them. Both read a JSON task and write a JSON answer, because what they load is the user's code.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jupyter_blocks.compare import Verdict, compare
from jupyter_blocks.errors import BlocksError
from jupyter_blocks.notebook import Cell, read_notebook
from jupyter_blocks.variables.manifest import Manifest
from jupyter_blocks.variables.store import VariableStore

__all__ = ["NOTEBOOK_RUN", "compare_outputs", "main", "run_notebook"]

NOTEBOOK_RUN = "notebook"
"""Run id under which the notebook's values are stored, one attempt for each output."""
SHOWN = "output_0"
"""Output that is the value of the last expression."""

Entry = dict[str, str]
"""`block`, `name`, `detail`."""


def run_notebook(task: Mapping[str, Any]) -> dict[str, Any]:
    """Run a notebook once and store the outputs of its blocks.

    The task has `notebook`, `pipeline`, `store` and `blocks`, each with `name`, `cell` (number of
    its last cell), `outputs` and, for a decorated function, `call`. The answer lists what `failed`
    and, if a cell raised, says so in `error`.
    """
    return _NotebookRun(task).run()


class _NotebookRun:
    """One run of a notebook."""

    def __init__(self, task: Mapping[str, Any]) -> None:
        from IPython.core.interactiveshell import InteractiveShell
        from traitlets.config import Config

        # History would open a database in the user's home folder.
        config = Config(HistoryManager={"enabled": False})
        self.task = task
        self.store = VariableStore(task["store"])
        self.shell = InteractiveShell(config=config)
        self.by_cell: dict[int, list[Mapping[str, Any]]] = {}
        for block in task["blocks"]:
            self.by_cell.setdefault(block["cell"], []).append(block)
        self.results: dict[str, Any] = {}
        self.failed: list[Entry] = []

    def run(self) -> dict[str, Any]:
        """Run all cells, or up to the one that fails."""
        sys.path.insert(0, str(Path.cwd()))
        notebook = read_notebook(Path(self.task["notebook"]))
        for cell in notebook.code_cells:
            if error := self._run_cell(cell):
                return {"failed": self.failed, "error": f"cell {cell.number}: {error}"}
        return {"failed": self.failed, "error": ""}

    def _run_cell(self, cell: Cell) -> str:
        """Run one cell and store the blocks that are done with it; what went wrong, or nothing."""
        done = self.shell.run_cell(cell.source, store_history=True)
        error = done.error_before_exec or done.error_in_exec
        if error is not None and "raises-exception" not in cell.tags:
            return f"{type(error).__name__}: {error}"
        for block in self.by_cell.get(cell.number, ()):
            try:
                self._finish(block, done.result)
            except Exception as failure:
                traceback.print_exc()
                return f"block '{block['name']}': {type(failure).__name__}: {failure}"
        return ""

    def _finish(self, block: Mapping[str, Any], shown: Any) -> None:
        names: Mapping[str, Any] = self.shell.user_ns
        if block["call"]:
            names = {**names, block["name"]: self._call(block["call"])}
            self.results[block["name"]] = names[block["name"]]
        for output in block["outputs"]:
            if output == SHOWN and output not in names:
                self._store(block["name"], output, shown)
            elif output in names:
                self._store(block["name"], output, names[output])
            else:
                detail = f"'{output}' is not set in the notebook"
                self.failed.append({"block": block["name"], "name": output, "detail": detail})

    def _call(self, call: Mapping[str, Any]) -> Any:
        """Call a decorated function with what its arguments name."""
        names = self.shell.user_ns
        arguments = {
            argument: self._whole(source) if not source["output"] else self._value(source)
            for argument, source in call["inputs"].items()
        }
        arguments |= {name: names[name] for name in call["parameters"]}
        answer = names[call["function"]](**arguments)
        if hasattr(answer, "__await__"):
            import asyncio

            return asyncio.run(answer)
        return answer

    def _value(self, source: Mapping[str, str]) -> Any:
        if source["block"] == source["output"] and source["block"] in self.results:
            return self.results[source["block"]]
        return self.shell.user_ns[source["output"]]

    def _whole(self, source: Mapping[str, str]) -> dict[str, Any]:
        outputs = {block["name"]: block["outputs"] for block in self.task["blocks"]}
        return {name: self.shell.user_ns[name] for name in outputs[source["block"]]}

    def _store(self, block: str, output: str, value: Any) -> None:
        about = _about(self.task["pipeline"], block, output)
        try:
            self.store.write(self.store.prefix(**about), {output: value}, about)
        except BlocksError as error:
            self.failed.append({"block": block, "name": output, "detail": str(error)})


def _about(pipeline: str, block: str, output: str) -> dict[str, str]:
    return {"pipeline": pipeline, "run_id": NOTEBOOK_RUN, "block": block, "attempt_id": output}


def compare_outputs(task: Mapping[str, Any]) -> dict[str, list[Entry]]:
    """Compare what the notebook stored with what the pipeline stored.

    The task has `pipeline`, `notebook_store`, `pipeline_store`, `run_id`, `folders` to import from,
    and `outputs`: pairs of block and output.
    """
    sys.path[:0] = task["folders"]
    answer: dict[str, list[Entry]] = {"equal": [], "different": [], "not_comparable": []}
    for block, output, verdict in _verdicts(task):
        answer[verdict.outcome].append({"block": block, "name": output, "detail": verdict.detail})
    return answer


def _verdicts(task: Mapping[str, Any]) -> Iterator[tuple[str, str, Verdict]]:
    pipeline, run_id = task["pipeline"], task["run_id"]
    notebook_store = VariableStore(task["notebook_store"])
    pipeline_store = VariableStore(task["pipeline_store"])
    for block, output in task["outputs"]:
        there = notebook_store.manifest(**_about(pipeline, block, output))
        here = pipeline_store.committed(pipeline, run_id, block)
        yield block, output, _verdict(notebook_store, there, pipeline_store, here, output)


def _verdict(
    notebook_store: VariableStore,
    there: Manifest,
    pipeline_store: VariableStore,
    here: Manifest | None,
    output: str,
) -> Verdict:
    if here is None or output not in here.outputs:
        return Verdict("different", "stored by the notebook only")
    one, other = there.outputs[output], here.outputs[output]
    if one.digest == other.digest and one.format not in ("pickle", "cloudpickle"):
        return Verdict("equal")
    try:
        return compare(notebook_store.load(there, output), pipeline_store.load(here, output))
    except Exception as error:
        return Verdict("not_comparable", f"cannot be loaded: {type(error).__name__}: {error}")


def main(arguments: Sequence[str]) -> None:
    """Do one part: its name, the file with the task, the file for the answer."""
    part, task_file, answer_file = arguments
    work = {"notebook": run_notebook, "compare": compare_outputs}[part]
    answer = work(json.loads(Path(task_file).read_text("utf-8")))
    Path(answer_file).write_text(json.dumps(answer), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
