"""`check`: does the exported pipeline compute what the notebook computes, value by value?

The notebook runs once from top to bottom, and so does the pipeline exported from it, each in
processes of its own and with the notebook's folder as working folder; then every output of every
block is compared exactly. Nothing of it touches the project or its variable store.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_blocks.binding import BlockDraft, NotebookPipeline, Style, analyze_notebook
from jupyter_blocks.errors import BlocksError, Problem, raise_errors
from jupyter_blocks.export import export_notebook
from jupyter_blocks.notebook import read_notebook

__all__ = ["CheckEntry", "CheckResult", "check_notebook"]

_PROJECT_VARIABLES = ("MAGE_DATA_DIR", "DEFAULT_EXECUTOR_TYPE")
"""What would make the pipeline store or run elsewhere."""
_LAST_LINES = 12


@dataclass(frozen=True)
class CheckEntry:
    """One output of one block; `name` is empty where the block itself is meant."""

    block: str
    name: str
    detail: str = ""


@dataclass(frozen=True)
class CheckResult:
    """What came of a check."""

    equal: tuple[CheckEntry, ...] = ()
    different: tuple[CheckEntry, ...] = ()
    not_comparable: tuple[CheckEntry, ...] = ()
    failed: tuple[CheckEntry, ...] = ()
    error: str = ""
    """Why the notebook did not run to its end; empty if it did."""
    log: tuple[str, ...] = field(default=(), compare=False)
    """The last lines the notebook wrote, where it did not run to its end."""
    warnings: tuple[Problem, ...] = field(default=(), compare=False)
    """What export has to say about the notebook; it may explain a difference."""

    @property
    def ok(self) -> bool:
        """Whether nothing differs and nothing failed."""
        return not (self.different or self.failed or self.error)

    def as_json(self) -> dict[str, Any]:
        """`check --json`."""
        groups = ("equal", "different", "not_comparable", "failed")
        return {group: [vars(entry) for entry in getattr(self, group)] for group in groups}


def check_notebook(path: Path, say: Callable[[str], None] = lambda _text: None) -> CheckResult:
    """Run a notebook and its pipeline, and compare every output.

    `say` is told what is being done. Raises `ValidationError` with every problem if the notebook
    cannot be exported.
    """
    notebook = path.resolve()
    draft = analyze_notebook(read_notebook(notebook))
    raise_errors(draft.problems)
    with tempfile.TemporaryDirectory(prefix="jupyter-blocks-check-") as folder:
        return _Check(notebook, draft, Path(folder), say).run()


class _Check:
    """One check, in a folder of its own."""

    def __init__(
        self, notebook: Path, draft: NotebookPipeline, folder: Path, say: Callable[[str], None]
    ) -> None:
        self.notebook = notebook
        self.draft = draft
        self.folder = folder
        self.project = folder / "project"
        self.say = say

    def run(self) -> CheckResult:
        """Do all of it."""
        exported = export_notebook(self.notebook, project=self.project)
        raise_errors(exported.problems)
        self.say(f"Running {self.notebook.name} from top to bottom ...")
        in_notebook = self._part("notebook", self._notebook_task())
        if in_notebook["error"]:
            return self._not_run(in_notebook["error"])
        self.say(f"Running the pipeline '{exported.pipeline}' ...")
        in_pipeline = self._run_pipeline(exported.pipeline)
        failed = [CheckEntry(**entry) for entry in in_notebook["failed"]]
        failed += self._failed_blocks(in_pipeline)
        self.say("Comparing ...")
        answer = self._part("compare", self._comparison_task(in_pipeline, failed))

        def entries(group: str) -> tuple[CheckEntry, ...]:
            return tuple(CheckEntry(**entry) for entry in answer[group])

        return CheckResult(
            entries("equal"),
            entries("different"),
            entries("not_comparable"),
            tuple(failed),
            warnings=self.draft.problems,
        )

    def _not_run(self, error: str) -> CheckResult:
        detail = f"the notebook does not run to its end: {error}"
        failed = tuple(
            CheckEntry(block.name, name, detail)
            for block in self.draft.blocks
            for name in block.outputs or ("",)
        )
        lines = (self.folder / "notebook.log").read_text("utf-8", "replace").splitlines()
        return CheckResult(
            failed=failed,
            error=error,
            log=tuple(lines[-_LAST_LINES:]),
            warnings=self.draft.problems,
        )

    # the notebook

    def _notebook_task(self) -> dict[str, Any]:
        return {
            "notebook": str(self.notebook),
            "pipeline": self.draft.name,
            "store": str(self.folder / "values"),
            "blocks": [_block_task(block) for block in self.draft.blocks],
        }

    # the pipeline

    def _run_pipeline(self, pipeline: str) -> dict[str, Any]:
        command = ["run", str(self.project), pipeline, "--skip-sensors", "--json"]
        done = self._python(
            "-m", "jupyter_blocks", *command, "--executor", "local_python", log="pipeline"
        )
        document: dict[str, Any] = json.loads(done.stdout)
        if "error" in document:
            raise BlocksError(f"The exported pipeline cannot run: {document['error']['message']}")
        return document

    def _failed_blocks(self, run: Mapping[str, Any]) -> Iterable[CheckEntry]:
        for block in self.draft.blocks:
            result = run["blocks"][block.name]
            if result["status"] in ("SUCCEEDED", "SKIPPED"):
                continue
            error = result["error"] or {}
            kind, message = error.get("type", ""), error.get("message", "")
            detail = f"{kind}: {message}" if kind else result["reason"]
            for name in block.outputs or ("",):
                yield CheckEntry(block.name, name, f"failed in the pipeline: {detail}")

    def _comparison_task(
        self, run: Mapping[str, Any], failed: Iterable[CheckEntry]
    ) -> dict[str, Any]:
        without = {(entry.block, entry.name) for entry in failed}
        outputs = [
            (block.name, name)
            for block in self.draft.blocks
            for name in block.outputs
            if (block.name, name) not in without
        ]
        return {
            "pipeline": run["pipeline"],
            "run_id": run["run_id"],
            "notebook_store": str(self.folder / "values"),
            "pipeline_store": str(self.project / ".variables"),
            "folders": [str(self.project), str(self.notebook.parent)],
            "outputs": outputs,
        }

    # processes

    def _part(self, name: str, task: Mapping[str, Any]) -> dict[str, Any]:
        """Run one part of `checkworker`; what it writes goes to a log."""
        task_file = self.folder / f"{name}.task.json"
        answer_file = self.folder / f"{name}.answer.json"
        task_file.write_text(json.dumps(task), "utf-8")
        files = (str(task_file), str(answer_file))
        done = self._python("-m", "jupyter_blocks.checkworker", name, *files, log=name)
        if not answer_file.exists():
            if name == "notebook":
                how = f"its process ended with exit code {done.returncode}"
                return {"failed": [], "error": how}
            log = (self.folder / f"{name}.log").read_text("utf-8", "replace")
            raise BlocksError(f"The comparison broke off: {log.strip().splitlines()[-1:]}")
        answer: dict[str, Any] = json.loads(answer_file.read_text("utf-8"))
        return answer

    def _python(self, *arguments: str, log: str) -> subprocess.CompletedProcess[bytes]:
        environment = {
            name: value for name, value in os.environ.items() if name not in _PROJECT_VARIABLES
        }
        is_run = log == "pipeline"
        with (self.folder / f"{log}.log").open("wb") as errors:
            return subprocess.run(  # noqa: S603 - our own modules
                [sys.executable, "-P", *arguments],
                cwd=self.notebook.parent,
                env={**environment, "MPLBACKEND": "agg"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if is_run else errors,
                stderr=errors,
                check=False,
            )


def _block_task(block: BlockDraft) -> dict[str, Any]:
    call = None
    if block.style is Style.DECORATED and block.type.name != "sensor":
        call = {
            "function": block.code.function,
            "inputs": {name: vars(source) for name, source in block.inputs.items()},
            "parameters": list(block.code.arguments),
        }
    return {
        "name": block.name,
        "cell": block.cells[-1],
        "outputs": list(block.outputs),
        "call": call,
    }
