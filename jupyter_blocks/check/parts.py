"""The parts of a check that run in processes of their own: the pipeline, and the comparison.

The comparison may take its process along - values that do not fit into memory twice, code that
crashes while it loads. Then the output it was at is said to be not comparable, and it goes on with
the next.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jupyter_blocks.compare import Verdict
from jupyter_blocks.errors import BlocksError

__all__ = ["compare_in_parts", "run_pipeline"]

_LOOK_INTERVAL_S = 0.05
_COMPARISON = "jupyter_blocks.check.comparison"

Output = tuple[str, str]
"""Block and name."""
Surroundings = tuple[Mapping[str, str], Path]
"""Environment and working folder."""
Step = Callable[[str], None]


def run_pipeline(
    project: Path, pipeline: str, folder: Path, surroundings: Surroundings, step: Step
) -> dict[str, Any]:
    """Run a pipeline in isolated blocks; what `run --json` says of it."""
    words = ["run", str(project), pipeline, "--skip-sensors", "--json"]
    words += ["--executor", "local_python"]
    answer = folder / "pipeline.json"
    with (
        answer.open("wb") as results,
        _start(["-m", "jupyter_blocks", *words], surroundings, results) as process,
    ):
        try:
            for line in process.stderr or ():
                step(line.decode("utf-8", "replace").strip())
        except BaseException:
            process.terminate()
            raise
    document: dict[str, Any] = json.loads(answer.read_text("utf-8"))
    if "error" in document:
        raise BlocksError(f"The exported pipeline cannot run: {document['error']['message']}")
    return document


def _start(
    words: Sequence[str], surroundings: Surroundings, results: Any
) -> subprocess.Popen[bytes]:
    environment, working_dir = surroundings
    return subprocess.Popen(  # noqa: S603 - our own modules
        [sys.executable, "-P", *words],
        cwd=working_dir,
        env={**environment, "MPLBACKEND": "agg"},
        stdin=subprocess.DEVNULL,
        stdout=results,
        stderr=subprocess.PIPE,
    )


def compare_in_parts(
    task: Mapping[str, Any],
    outputs: Sequence[Output],
    folder: Path,
    surroundings: Surroundings,
    step: Step,
) -> dict[Output, Verdict]:
    """Compare outputs one after the other; `task` is what `comparison` asks for."""
    verdicts: dict[Output, Verdict] = {}
    while remaining := [output for output in outputs if output not in verdicts]:
        document = {**task, "outputs": remaining}
        reason = _compare(document, folder, surroundings, verdicts, len(outputs), step)
        left = next((output for output in remaining if output not in verdicts), None)
        if left is not None:
            verdicts[left] = Verdict("not_comparable", f"comparing them {reason}")
    return verdicts


def _compare(
    task: Mapping[str, Any],
    folder: Path,
    surroundings: Surroundings,
    verdicts: dict[Output, Verdict],
    count: int,
    step: Step,
) -> str:
    """Compare until all is done or the process ends; how it ended."""
    task_file, answers = folder / "comparison.json", folder / "comparison.answers"
    task_file.write_text(json.dumps(task), "utf-8")
    answers.unlink(missing_ok=True)
    environment, working_dir = surroundings
    with (folder / "comparison.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-P", "-m", _COMPARISON, str(task_file), str(answers)],
            cwd=working_dir,
            env={**environment, "MPLBACKEND": "agg"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    with process:
        try:
            while process.poll() is None:
                time.sleep(_LOOK_INTERVAL_S)
                if _take(answers, verdicts):
                    step(f"value {len(verdicts)} of {count}")
        except BaseException:
            process.kill()
            raise
    _take(answers, verdicts)
    return f"ended the process with exit code {process.returncode}"


def _take(answers: Path, verdicts: dict[Output, Verdict]) -> bool:
    """Take in the answers there are; whether any is new."""
    before = len(verdicts)
    text = answers.read_text("utf-8") if answers.exists() else ""
    for line in text.splitlines(keepends=True):
        if line.endswith("\n"):
            block, name, verdict = json.loads(line)
            verdicts[block, name] = Verdict(**verdict)
    return len(verdicts) > before
