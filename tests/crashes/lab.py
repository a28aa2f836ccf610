"""Runs that are cut off and resumed, and what must hold of each of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from jupyter_blocks.journal import Journal
from jupyter_blocks.project import Project, open_project
from jupyter_blocks.run import RunStatus
from jupyter_blocks.variables.store import VariableStore
from tests.projects import block, write_project

__all__ = ["Case", "Lab", "Outcome", "Victim"]

ROOT = Path(__file__).parents[2]
PIPELINE = "pipe"
KILLED = {"signal": 9}
DONE = {"code": 0}
EXPECTED = {"load": 20, "left": 21, "right": 40, "save": 61}
TELL = (
    "import os\n"
    "ledger = os.open({ledger!r}, os.O_WRONLY | os.O_CREAT | os.O_APPEND)\n"
    "os.write(ledger, b'{name}\\n')\nos.close(ledger)\n"
)


class Victim:
    """A warm process that runs commands in children of its own; use it as a context manager."""

    def __init__(self, **environment: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crashes.victim"],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()

    def run(self, project: Project, **document: Any) -> dict[str, int]:
        """Run the pipeline of a project; how its process ended."""
        output = project.root.parent / f"{project.root.name}.txt"
        document |= {"root": str(project.root), "pipeline": PIPELINE, "output": str(output)}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(document) + "\n")
        self._process.stdin.flush()
        answer: dict[str, int] = json.loads(self._process.stdout.readline())
        return answer


@dataclass
class Outcome:
    """What the crashes of one pipeline came to."""

    injections: int = 0
    not_reached: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Case:
    """Where the blocks of a pipeline run, and what follows from that."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    executors: Mapping[str, str] = field(default_factory=dict)
    """Block -> executor; `local_python` where none is named."""

    def place(self, name: str) -> dict[str, str]:
        """The settings of a block."""
        executor = self.executors.get(name)
        return {"executor_type": executor} if executor else {}

    def outlives(self, name: str) -> bool:
        """Whether an attempt of the block goes on when its dispatcher ends."""
        return name in self.executors


class Lab:
    """A pipeline that is cut off at one point after the other, each time in a new project."""

    def __init__(self, folder: Path, victim: Victim, case: Case) -> None:
        self._folder = folder
        (folder / "ledgers").mkdir()
        (folder / "projects").mkdir(exist_ok=True)
        self._victim = victim
        self._case = case
        self._made = 0

    def points(self) -> list[str]:
        """The points that a run passes, in order."""
        project = self._project()
        told = self._folder / "points.txt"
        answer = self._victim.run(project, told=str(told))
        assert answer == DONE, self._said(project)
        self._dispose(project)
        return told.read_text("utf-8").splitlines()

    def cut_off(self, point: str, outcome: Outcome) -> None:
        """End a run at the point, resume it, and note what does not hold."""
        project = self._project()
        answer = self._victim.run(project, at=point)
        if answer == KILLED:
            outcome.injections += 1
        elif answer == DONE:
            outcome.not_reached.append(point)
        else:
            outcome.violations.append(f"{point}: the first run: {self._said(project)}")
            return
        before = self._committed(project)
        executed = self._executed(project)
        resumed = self._victim.run(project, resume=self._run(project) is not None)
        found = [] if resumed == DONE else [f"the second run: {self._said(project)}"]
        found += self._wrong(project, before, executed)
        outcome.violations += [f"{point}: {wrong}" for wrong in found]
        if not found:
            self._dispose(project)

    def _wrong(
        self, project: Project, before: Mapping[str, str], executed: Mapping[str, int]
    ) -> list[str]:
        found = []
        run = self._run(project)
        if run is None or run[1] is not RunStatus.SUCCEEDED:
            found.append(f"the journal says {run}")
        after = self._committed(project)
        store = VariableStore(project.variables_root)
        now = self._executed(project)
        for name, value in EXPECTED.items():
            manifest = store.latest(PIPELINE, name)
            if manifest is None or name not in after:
                found.append(f"'{name}' is not committed")
                continue
            if store.load(manifest, "output_0") != value:
                found.append(f"'{name}' has another value")
            if before.get(name, after[name]) != after[name]:
                found.append(f"'{name}' was published twice")
            if name in before and now[name] != executed.get(name, 0):
                found.append(f"'{name}' was done again although it was committed")
            if self._case.outlives(name) and now[name] != 1:
                found.append(f"'{name}' was done {now[name]} times, although its job lived on")
            if now[name] > executed.get(name, 0) + 1:
                found.append(f"'{name}' was done {now[name]} times")
        return found

    def _project(self) -> Project:
        self._made += 1
        root = self._folder / "projects" / f"p{self._made}"
        ledger = str(self._ledger(root))
        work = {
            "load": ("return 20", []),
            "left": ("return load + 1", ["load"]),
            "right": ("return load * 2", ["load"]),
            "save": ("return left + right", ["left", "right"]),
        }
        specs = [
            block(
                name,
                TELL.format(ledger=ledger, name=name) + body,
                above,
                "data_exporter" if name == "save" else "",
                **(
                    {"executor_type": self._case.executors[name]}
                    if name in self._case.executors
                    else {}
                ),
            )
            for name, (body, above) in work.items()
        ]
        return write_project(root, specs, settings=self._settings(root))

    def _settings(self, root: Path) -> dict[str, Any]:
        settings = dict(self._case.settings)
        if "remote_variables_dir" in settings:
            settings["remote_variables_dir"] += f"/{root.name}"
        return settings

    def _ledger(self, root: Path) -> Path:
        return self._folder / "ledgers" / root.name

    def _executed(self, project: Project) -> Counter[str]:
        ledger = self._ledger(project.root)
        return Counter(ledger.read_text("utf-8").split() if ledger.exists() else ())

    def _run(self, project: Project) -> tuple[str, RunStatus] | None:
        """The newest run and how it stands; none when the journal has none."""
        with Journal(open_project(project.root).state_dir) as journal:
            runs = journal.runs()
            return (runs[0].run_id, runs[0].status) if runs else None

    def _committed(self, project: Project) -> dict[str, str]:
        run = self._run(project)
        if run is None:
            return {}
        store = VariableStore(project.variables_root)
        found = {name: store.committed(PIPELINE, run[0], name) for name in EXPECTED}
        return {name: it.attempt_id for name, it in found.items() if it is not None}

    def _said(self, project: Project) -> str:
        return (project.root.parent / f"{project.root.name}.txt").read_text("utf-8")[-1500:]

    def _dispose(self, project: Project) -> None:
        shutil.rmtree(project.root, ignore_errors=True)
        self._ledger(project.root).unlink(missing_ok=True)
