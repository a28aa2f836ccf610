"""The tree of errors, and the problems they are made of.

Every text says what happened, where (pipeline, block, notebook cell, line) and what to do next.

    BlocksError                      exit 2: the request or the project is wrong
    ├── UsageError                   an option, a parameter or a target that makes no sense
    ├── ProjectError                 a project, a pipeline or a metadata.yaml that cannot be used
    ├── ValidationError              one or more `Problem`s, all of them at once
    ├── ExecutorError                an executor that is unknown, missing or misused
    ├── VariableError                a stored value that cannot be written, found or trusted
    │   ├── VariableNotFoundError
    │   ├── CorruptVariableError
    │   └── UnstorableError
    ├── BlockFailedError             exit 1: user code failed
    ├── RunHeldError                 exit 75: another dispatcher holds the run
    └── InterruptedRunError          exit 130: the user stopped the run
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = [
    "BlockFailedError",
    "BlocksError",
    "CorruptVariableError",
    "ExecutorError",
    "InterruptedRunError",
    "Problem",
    "ProjectError",
    "RunHeldError",
    "Severity",
    "UnstorableError",
    "UsageError",
    "ValidationError",
    "VariableError",
    "VariableNotFoundError",
    "raise_errors",
]

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, with the place to look and the way out.

    `cell` is the 1-based position among all cells of the notebook, `line` the 1-based line within
    that cell, or within the file at `path` where there is no cell. `file_line` is the line of the
    file, where the cells of the notebook are lines of a Python file.
    """

    code: str
    """Short stable name in kebab case, such as `unknown-upstream`."""
    message: str
    """What happened, as one or more sentences."""
    hint: str = ""
    """What to do, as one sentence; empty where the message says it already."""
    severity: Severity = "error"
    pipeline: str | None = None
    block: str | None = None
    notebook: str | None = None
    cell: int | None = None
    cell_id: str | None = None
    path: str | None = None
    line: int | None = None
    file_line: int | None = None

    @property
    def place(self) -> str:
        """Where it is: `flights.ipynb, cell 3, line 2` or `pipelines/p/metadata.yaml, line 7`.

        In a Python file it begins as editors know it: `flights.py:31, cell 3, line 2`.
        """
        parts = [part for part in (self.notebook or self.path,) if part]
        if parts and self.file_line is not None:
            parts = [f"{parts[0]}:{self.file_line}"]
        if self.cell is not None:
            parts.append(f"cell {self.cell}")
        if self.line is not None:
            parts.append(f"line {self.line}")
        if not parts and self.pipeline:
            parts.append(f"pipeline '{self.pipeline}'")
        return ", ".join(parts)

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}" if self.place else self.message
        return f"{text} {self.hint}" if self.hint else text

    def as_json(self) -> dict[str, Any]:
        """The fields that are set, for `--json`."""
        return {key: value for key, value in asdict(self).items() if value not in (None, "")}


class BlocksError(Exception):
    """Base of every error this package raises on purpose."""

    exit_code = 2

    def __init__(
        self, message: str, *, pipeline: str | None = None, block: str | None = None, hint: str = ""
    ) -> None:
        super().__init__(f"{message} {hint}" if hint else message)
        self.pipeline = pipeline
        self.block = block
        self.hint = hint


class UsageError(BlocksError):
    """An option, a parameter or a target of a command makes no sense."""


class ProjectError(BlocksError):
    """A project, a pipeline or one of their files cannot be used."""


class ValidationError(BlocksError):
    """One or more problems were found before anything ran; `problems` holds all of them."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.problems,))


class ExecutorError(BlocksError):
    """An executor is unknown, is missing something, or answered nonsense."""


class VariableError(BlocksError):
    """A stored value cannot be written, found or trusted."""


class VariableNotFoundError(VariableError):
    """There is no such stored value (yet)."""


class CorruptVariableError(VariableError):
    """A stored object is missing, cut short or changed; the text names it."""


class UnstorableError(VariableError):
    """A value cannot be stored so that it comes back; the text names the offending member."""

    output: str = ""
    """The output that is to blame, where it is known."""


class BlockFailedError(BlocksError):
    """The code of a block failed."""

    exit_code = 1


class RunHeldError(BlocksError):
    """Another dispatcher holds the run."""

    exit_code = 75


class InterruptedRunError(BlocksError):
    """The user stopped the run."""

    exit_code = 130


def raise_errors(problems: Iterable[Problem]) -> None:
    """Raise one `ValidationError` with every problem if one of them is an error.

    Warnings come along, because a mistyped tag is often the reason for the errors below it.
    """
    found = tuple(problems)
    if any(problem.severity == "error" for problem in found):
        raise ValidationError(found)
