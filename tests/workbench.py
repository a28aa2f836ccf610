"""A project folder whose blocks are run one by one, without a dispatcher."""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_blocks.executors.base import BlockTask, CallMode, InputRef, attempt_id
from jupyter_blocks.inputs import Memory
from jupyter_blocks.variables.manifest import Manifest
from jupyter_blocks.variables.store import VariableStore
from jupyter_blocks.worker import run_task

FOLDERS = {"custom": "custom", "condition": "conditionals", "callback": "callbacks"}


@dataclass
class Workbench:
    """Writes block files, makes their tasks, runs them and reads what they left."""

    root: Path
    run_id: str = "run"
    memory: Memory | None = None
    attempts: int = 0
    done: dict[str, InputRef] = field(default_factory=dict)
    """Where the outputs of the blocks run so far are."""

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        self.store = VariableStore(str(self.root / ".variables"))

    def write(self, path: str, text: str) -> Path:
        """Write a file of the project."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text), "utf-8")
        return file

    def task(
        self, text: str, name: str = "block", kind: str = "custom", upstream: str = "", **more: Any
    ) -> BlockTask:
        """Write a block file and make its task; `upstream` names blocks, separated by blanks."""
        file = f"{FOLDERS.get(kind, f'{kind}s')}/{name}.py"
        self.write(file, text)
        self.attempts += 1
        attempt = attempt_id("project", self.run_id, name, self.attempts)
        return BlockTask(
            **{
                "run_id": self.run_id,
                "pipeline": "flights",
                "block": name,
                "type": kind,
                "attempt_id": attempt,
                "attempt": 1,
                "project": str(self.root),
                "working_dir": str(self.root),
                "file": file,
                "upstream": tuple(self.done.get(up, InputRef(up)) for up in upstream.split()),
                "execution_date": "2024-01-31T05:06:07+00:00",
                "variables": str(self.root / ".variables"),
                "prefix": self.store.prefix("flights", self.run_id, name, attempt),
                **more,
            }
        )

    def named(self, text: str, name: str = "block", kind: str = "custom", **more: Any) -> BlockTask:
        """The task of a block exported from a notebook."""
        return self.task(text, name, kind, call=CallMode.NAMED, **more)

    def run(self, text: str, name: str = "block", kind: str = "custom", **more: Any) -> Any:
        """Run a block; gives the report."""
        return self.run_task(self.task(text, name, kind, **more))

    def run_task(self, task: BlockTask) -> Any:
        """Run a task; gives the report."""
        report = run_task(task, store=self.store, memory=self.memory)
        json.dumps(report)  # a report that is no JSON never reaches anybody
        if report["manifest"]:
            digest = report["manifest"]["digest"]
            self.done[task.block] = InputRef(task.block, task.run_id, task.attempt_id, digest)
        return report

    def values(self, report: Any) -> dict[str, Any]:
        """The outputs a report tells of, read from the store."""
        assert report["status"] == "succeeded", report["error"]["traceback"]
        manifest = Manifest.from_json(report["manifest"])
        return {name: self.store.load(manifest, name) for name in manifest.outputs}

    def value(self, report: Any) -> Any:
        """The only output."""
        (value,) = self.values(report).values()
        return value

    def log(self, task: BlockTask) -> str:
        """The log of an attempt, as it is in the file; empty if there is none."""
        path = self.store.log_path(task.prefix)
        return path.read_text("utf-8") if path.exists() else ""
