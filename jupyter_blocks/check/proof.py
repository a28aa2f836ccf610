"""The course of a check: export, the notebook, the pipeline, the comparison, the causes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jupyter_blocks.binding import NotebookPipeline, analyze_notebook
from jupyter_blocks.check.causes import Causes, watches
from jupyter_blocks.check.kernel import Kernel
from jupyter_blocks.check.notebookrun import Findings, NotebookRun, Watch
from jupyter_blocks.check.parts import compare_in_parts, run_pipeline
from jupyter_blocks.check.result import CheckEntry, CheckResult, place_text
from jupyter_blocks.compare import Verdict
from jupyter_blocks.errors import raise_errors
from jupyter_blocks.export import export_notebook
from jupyter_blocks.notebook import read_notebook

__all__ = ["check_notebook"]

_PROJECT_VARIABLES = ("MAGE_DATA_DIR", "DEFAULT_EXECUTOR_TYPE")
"""What would make the pipeline store or run elsewhere."""
_BACKEND = "MPLBACKEND"
"""What would keep the kernel from showing figures as Jupyter does."""
_FIRST, _AGAIN = "notebook", "notebook-again"
_LAST_LINES = 12

Output = tuple[str, str]
"""Block and name."""
Say = Callable[[str], None]


def _silent(_text: str) -> None:
    """Say nothing."""


def check_notebook(path: Path, say: Say = _silent, step: Say = _silent) -> CheckResult:
    """Run a notebook and its pipeline, and compare every output.

    `say` is told what is being done, `step` how far it is. Raises `ValidationError` with every
    problem if the notebook cannot be exported.
    """
    with tempfile.TemporaryDirectory(prefix="jupyter-blocks-check-") as folder:
        return _Check(path.resolve(), Path(folder), say, step).run()


class _Check:
    """One check, in a folder of its own."""

    def __init__(self, path: Path, folder: Path, say: Say, step: Say) -> None:
        self.notebook = read_notebook(path)
        self.draft: NotebookPipeline = analyze_notebook(self.notebook)
        raise_errors(self.draft.problems)
        self.folder = folder
        self.project = folder / "project"
        self.say = say
        self.step = step

    def run(self) -> CheckResult:
        """Do all of it."""
        exported = export_notebook(self.notebook.path, project=self.project)
        raise_errors(exported.problems)
        self.say(f"Running {self.notebook.name} from top to bottom ...")
        first = self._run_notebook(_FIRST)
        if first.error:
            return self._not_run(first)
        self.say(f"Running the pipeline '{exported.pipeline}' ...")
        run = run_pipeline(
            self.project, exported.pipeline, self.folder, self._surroundings, self.step
        )
        entries = (*first.failed, *self._failed_blocks(run))
        failed = {(entry.block, entry.name): entry for entry in reversed(entries)}
        outputs = [output for output in self._outputs() if output not in failed]
        self.say("Comparing ...")
        verdicts = self._compare(outputs, self._pipeline_side(run["run_id"]))
        return self._result(verdicts, [*failed.values()][::-1], first.notes)

    def _result(
        self, verdicts: Mapping[Output, Verdict], failed: Sequence[CheckEntry], notes: Sequence[str]
    ) -> CheckResult:
        different = [out for out, verdict in verdicts.items() if verdict.outcome == "different"]
        varying, again = self._vary(different, watches(self.draft, verdicts, _FIRST))
        causes = Causes(self.notebook, self.draft, verdicts, varying, again)
        groups: dict[str, list[CheckEntry]] = {"equal": [], "different": [], "not_comparable": []}
        for group, entry in causes.entries():
            groups[group].append(entry)
        if again and again.error:
            notes = [*notes, f"What varies by itself is not known: run again, {again.error}"]
        return CheckResult(
            equal=tuple(groups["equal"]),
            different=tuple(groups["different"]),
            not_comparable=tuple(groups["not_comparable"]),
            failed=tuple(failed),
            warnings=self.draft.problems,
            notes=tuple(notes),
        )

    def _outputs(self) -> Iterator[Output]:
        for block in self.draft.blocks:
            yield from ((block.name, name) for name in block.outputs)

    # the notebook

    def _run_notebook(
        self, run_id: str, only: Iterable[Output] | None = None, watched: Sequence[Watch] = ()
    ) -> Findings:
        run = NotebookRun(self.notebook, self.draft, str(self._values), run_id, self.step)
        environment, working_dir = self._surroundings
        with Kernel(self.folder, working_dir, environment) as kernel:
            return run.run(kernel, only=only, watches=watched)

    def _not_run(self, first: Findings) -> CheckResult:
        detail = f"the notebook does not run to its end: {first.error}"
        return CheckResult(
            failed=tuple(
                CheckEntry(block.name, name, detail)
                for block in self.draft.blocks
                for name in block.outputs or ("",)
            ),
            error=first.error,
            log=first.log[-_LAST_LINES:],
            warnings=self.draft.problems,
            notes=tuple(first.notes),
        )

    def _vary(
        self, different: Sequence[Output], watched: Sequence[Watch]
    ) -> tuple[frozenset[Output], Findings | None]:
        """Which outputs the notebook itself gives another value each time."""
        if not different:
            return frozenset(), None
        self.say("Values differ. Running the notebook once more, to see what varies by itself ...")
        again = self._run_notebook(_AGAIN, different, watched)
        if again.error:
            return frozenset(), again
        verdicts = self._compare(different, self._notebook_side(_AGAIN))
        varying = (out for out, verdict in verdicts.items() if verdict.outcome == "different")
        return frozenset(varying), again

    # the pipeline

    def _failed_blocks(self, run: Mapping[str, Any]) -> Iterator[CheckEntry]:
        for block in self.draft.blocks:
            result = run["blocks"][block.name]
            if result["status"] in ("SUCCEEDED", "SKIPPED"):
                continue
            error = result["error"] or {}
            kind, message = error.get("type", ""), error.get("message", "")
            place = error.get("cell"), error.get("cell_line")
            at = f" ({place_text(*place)})" if place[0] else ""
            detail = f"failed in the pipeline: {kind}: {message}{at}"
            if not kind:
                detail = f"failed in the pipeline: {result['reason']}"
            for name in block.outputs or ("",):
                yield CheckEntry(block.name, name, detail, *place)

    # processes

    @property
    def _values(self) -> Path:
        return self.folder / "values"

    @property
    def _surroundings(self) -> tuple[dict[str, str], Path]:
        """Environment and working folder of everything that is run.

        All hash texts alike, so that the order of a set is no difference.
        """
        left_out = (*_PROJECT_VARIABLES, _BACKEND)
        environment = {name: value for name, value in os.environ.items() if name not in left_out}
        environment.setdefault("PYTHONHASHSEED", "0")
        return environment, self.notebook.path.parent

    def _notebook_side(self, run_id: str) -> dict[str, Any]:
        return {"store": str(self._values), "run_id": run_id, "is_notebook": True}

    def _pipeline_side(self, run_id: str) -> dict[str, Any]:
        return {
            "store": str(self.project / ".variables"),
            "run_id": run_id,
            "is_notebook": False,
        }

    def _compare(
        self, outputs: Sequence[Output], other: Mapping[str, Any]
    ) -> dict[Output, Verdict]:
        task = {
            "pipeline": self.draft.name,
            "folders": [str(self.project), str(self.notebook.path.parent)],
            "sides": [self._notebook_side(_FIRST), other],
        }
        return compare_in_parts(task, outputs, self.folder, self._surroundings, self.step)
