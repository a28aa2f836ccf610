"""What user code raised, turned into the end of an attempt: a reason, and the story for people."""

from __future__ import annotations

import ast
import linecache
import traceback
from collections.abc import Callable, Sequence
from enum import Enum, auto
from pathlib import Path
from typing import Any, TypeVar

from jupyter_blocks.calling import CallError
from jupyter_blocks.errors import UnstorableError, VariableError
from jupyter_blocks.executors.base import BlockTask, Reason
from jupyter_blocks.loading import BlockLoadError
from jupyter_blocks.tracebacks import describe
from jupyter_blocks.usage import Meter
from jupyter_blocks.variables.storage import AlreadyExistsError

__all__ = ["AttemptFailedError", "Guard", "Stage", "let_go"]

Result = TypeVar("Result")


class Stage(Enum):
    """What the attempt was doing."""

    LOADING = auto()
    """Running the block file itself."""
    READING = auto()
    """Reading its inputs."""
    CALLING = auto()
    STORING = auto()


class AttemptFailedError(Exception):
    """The attempt is over: why, and what to tell (see `tracebacks.describe`)."""

    def __init__(self, reason: Reason, error: dict[str, Any], cause: BaseException) -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.error = error
        self.cause = cause


class Guard:
    """Does what user code has a hand in, and turns whatever it raises into `AttemptFailedError`."""

    def __init__(self, task: BlockTask, meter: Meter) -> None:
        self._task = task
        self._meter = meter
        self.function: Callable[..., Any] | None = None
        """The block's function, named where an exception came through no other user code."""

    def __call__(self, stage: Stage, action: Callable[[], Result]) -> Result:
        """The result of `action`; an interrupt passes through."""
        try:
            return action()
        except (KeyboardInterrupt, AttemptFailedError):
            raise
        except BaseException as error:
            failure = self.failure(error, _reason(error, stage))
        raise failure

    def failure(self, error: BaseException, reason: Reason) -> AttemptFailedError:
        """The end of the attempt because of `error`."""
        hint = ""
        if isinstance(error, SystemExit):
            hint = f"The block called sys.exit({error.code!r}); a block ends by returning."
        elif isinstance(error, FileNotFoundError):
            hint = self._hint_at_folders(error)
        described = self.describe(error, hint)
        if reason is Reason.OUT_OF_MEMORY:
            described["message"] = self._told_of_memory(described["message"])
        return AttemptFailedError(reason, described, error)

    def tests_failed(self, failures: Sequence[tuple[str, BaseException]]) -> AttemptFailedError:
        """The end of the attempt because of tests, given by name with what each raised."""
        errors = [self.describe(error) for _, error in failures]
        said = [
            f"{name}: {error['message'] or _source_line(cause)}"
            for (name, cause), error in zip(failures, errors, strict=True)
        ]
        count = "Test failed" if len(said) == 1 else f"{len(said)} tests failed"
        first = errors[0]
        first["message"] = f"{count}: {'; '.join(said)}"
        first["traceback"] = "\n\n".join(str(error["traceback"]) for error in errors)
        return AttemptFailedError(Reason.TEST_FAILED, first, failures[0][1])

    def describe(self, error: BaseException, hint: str = "") -> dict[str, Any]:
        """The story of an exception, without ending the attempt."""
        code = getattr(self.function, "__code__", None)
        where = (code.co_filename, code.co_firstlineno) if code is not None else None
        if where is not None and isinstance(error, UnstorableError):
            where = where[0], _last_binding(*where, error.output) or where[1]
        return describe(error, project=self._task.project, where=where, hint=hint)

    def _hint_at_folders(self, error: FileNotFoundError) -> str:
        name = error.filename
        if not isinstance(name, str) or Path(name).is_absolute():
            return ""
        folder = self._task.working_dir or str(Path.cwd())
        return (
            f"'{name}' was looked for in the folder the block runs in, {folder}; "
            f"the project is in {self._task.project}."
        )

    def _told_of_memory(self, message: str) -> str:
        limit = self._task.resources.get("memory_mib") or 0
        peak = f"the process held {self._meter.peak_rss_mib():.0f} MiB at most"
        if limit:
            said = f"The block needs more than its limit of {limit:g} MiB of memory ({peak})."
        else:
            said = f"The machine has no more memory to give ({peak})."
        return f"{said} {message}" if message else said


def let_go(error: BaseException | None) -> None:
    """Free the variables of the functions an exception came through: they may be whole tables."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


_LOADING_ERRORS = (SyntaxError, ImportError)


def _reason(error: BaseException, stage: Stage) -> Reason:
    if isinstance(error, MemoryError):
        return Reason.OUT_OF_MEMORY
    if isinstance(error, UnstorableError):
        return Reason.UNSTORABLE
    if isinstance(error, (CallError, BlockLoadError)):
        return Reason.CONFIGURATION
    if stage is Stage.LOADING and isinstance(error, _LOADING_ERRORS):
        return Reason.CONFIGURATION
    if stage is Stage.READING and isinstance(error, (VariableError, OSError)):
        return Reason.INPUT_MISSING
    if stage is Stage.STORING and isinstance(error, AlreadyExistsError):
        return Reason.PROTOCOL
    if stage is Stage.STORING and isinstance(error, (VariableError, OSError)):
        return Reason.INFRASTRUCTURE
    return Reason.USER_ERROR


def _last_binding(file: str, function_line: int, name: str) -> int:
    """The last line on which the function that begins at a line gives `name` a value; 0: none."""
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return 0
    functions = [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and min([node.lineno, *(mark.lineno for mark in node.decorator_list)]) == function_line
    ]
    lines = [
        node.lineno
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store)
    ]
    return max(lines, default=0)


def _source_line(error: BaseException) -> str:
    """The line that raised an assertion without a text."""
    frames = traceback.extract_tb(error.__traceback__)
    return linecache.getline(frames[-1].filename, frames[-1].lineno or 0).strip() if frames else ""
