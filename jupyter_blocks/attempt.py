"""One attempt of one block, from loading its file to storing its outputs.

The order is that of Mage: conditions, the block's function, tests, storing, callbacks. Whatever
goes wrong ends up in the report, in the user's words; the surroundings (log, isolation, limits) are
`worker`'s business.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from jupyter_blocks import randomstreams
from jupyter_blocks.calling import (
    call_callback,
    call_condition,
    call_named,
    call_positional,
    call_sensor,
    call_test,
    mage_kwargs,
    named_outputs,
    positional_outputs,
)
from jupyter_blocks.decorators import Mark, end_cell
from jupyter_blocks.executors.base import BlockTask, CallMode, Reason
from jupyter_blocks.failures import AttemptFailedError, Guard, Stage, let_go
from jupyter_blocks.inputs import Memory, TaskInputs, keep_outputs
from jupyter_blocks.isolation import figures_as_in_notebooks
from jupyter_blocks.iterators import iterators, refuse_draws, used_up
from jupyter_blocks.line import NO_LINE, DroppedError, Line
from jupyter_blocks.loading import BlockFile, BlockLoadError, loaded
from jupyter_blocks.projectmodules import HELPERS, refresh
from jupyter_blocks.tracebacks import exception_text
from jupyter_blocks.usage import Meter
from jupyter_blocks.variables.formats import share, shareable
from jupyter_blocks.variables.manifest import Manifest
from jupyter_blocks.variables.store import VariableStore
from jupyter_blocks.variables.unsealed import Unsealed

__all__ = ["Attempt", "Report", "report"]

Report = dict[str, Any]
Function = Callable[..., Any]

LARGE = 4 * 1024 * 1024
"""From so many bytes on it pays to hash and describe outputs beside the next block."""

_CALLBACKS = ("callback", "on_success", "on_failure")
_contexts: dict[str, dict[str, Any]] = {}
"""`kwargs['context']` of the run this process works for: one dict for all its blocks here."""


def report(
    status: str, reason: Reason = Reason.NONE, error: dict[str, Any] | None = None
) -> Report:
    """The worker's report of an attempt that stored nothing."""
    return {
        "status": status,
        "reason": str(reason),
        "error": error,
        "manifest": None,
        "outputs": {},
    }


class Attempt:
    """Runs one task once."""

    def __init__(
        self,
        task: BlockTask,
        store: VariableStore,
        memory: Memory | None,
        meter: Meter,
        line: Line = NO_LINE,
    ) -> None:
        self._task = task
        self._store = store
        self._memory = memory
        self._line = line
        self._inputs = TaskInputs(task, store, memory)
        self._guard = Guard(task, meter)
        self._is_exported = task.call is CallMode.NAMED
        self._stack = ExitStack()
        self._file: BlockFile | None = None
        self._random_streams: dict[str, Any] | None = None

    def run(self) -> Report:
        """Do the work and report it; raises nothing that user code raised."""
        with self._stack:
            try:
                return self._work()
            except AttemptFailedError as failed:
                if self._task.is_last_attempt or not failed.reason.is_retried:
                    self._call_back("failure", list, failed.cause)
                let_go(failed.cause)
                return report("failed", failed.reason, failed.error)
            except KeyboardInterrupt as interrupt:
                error = self._guard.describe(interrupt, "The block was stopped.")
                self._call_back("cancelled", list, interrupt)
                return report("cancelled", Reason.CANCELLED, error)
            except DroppedError:
                return report("dropped", Reason.DROPPED)

    def _work(self) -> Report:
        task = self._task
        file = self._file = self._load()
        function = self._guard.function = self._first_function(file)
        refusal = self._refusing_condition(file)
        if refusal:
            said = {"type": "Condition", "message": refusal, "traceback": ""}
            return report("condition_false", Reason.CONDITION_FALSE, said)
        if task.type == "sensor":
            if not self._guard(Stage.CALLING, lambda: self._ask_sensor(function)):
                return report("waiting", Reason.SENSOR_WAITING)
            outputs: dict[str, Any] = {}
        else:
            outputs = self._guard(Stage.CALLING, lambda: self._call(function))
        unsealed = self._store_tested(file, outputs)
        if self._may_seal_later(file, unsealed):
            self._keep(unsealed.manifest, outputs)
            return {**report("succeeded"), "seal": lambda: self._sealed(unsealed)}
        manifest = self._seal(unsealed)
        self._keep(manifest, outputs)
        values = list(outputs.values())
        self._call_back("success", lambda: values[0] if len(values) == 1 else values, None)
        return _succeeded(manifest)

    def _store_tested(self, file: BlockFile, outputs: dict[str, Any]) -> Unsealed:
        """Test the outputs and store them; iterators are stored first, as reading uses them up."""
        task = self._task
        names = iterators(outputs)
        if names and self._is_exported:
            names = self._guard(Stage.STORING, lambda: used_up(outputs, task.unread, task.shared))
        if not names:
            if task.run_tests:
                self._test(file, outputs)
            return self._store_outputs(outputs)
        unsealed = self._store_outputs(outputs, names)

        def renew() -> None:
            outputs.update({name: self._store.load(unsealed.manifest, name) for name in names})

        self._guard(Stage.STORING, renew)
        if task.run_tests:
            self._test(file, outputs, renew)
        return unsealed

    # loading

    def _load(self) -> BlockFile:
        task = self._task
        self._guard(Stage.LOADING, lambda: refresh(task.project, task.working_dir))
        if self._is_exported:
            figures_as_in_notebooks()
        names = {} if self._is_exported or task.type == "sensor" else self._injected()
        file = self._open(task.type, task.block, task.file, task.content, names)
        if self._is_exported:
            self._set_parameters(file.module)
        return file

    def _open(
        self,
        kind: str,
        name: str,
        file: str,
        content: str | None = None,
        names: dict[str, Any] | None = None,
    ) -> BlockFile:
        """A file of the block, loaded until the end of the attempt."""
        opened = loaded(
            self._task.project,
            kind,
            name,
            file=file,
            content=content,
            names=names,
            is_exported=self._is_exported and kind == self._task.type,
        )
        return self._guard(Stage.LOADING, lambda: self._stack.enter_context(opened))

    def _injected(self) -> dict[str, Any]:
        """Upstream outputs by the names under which Mage's files find them."""
        names = {f"df_{number}": value for number, value in enumerate(self._positional, 1)}
        for reference, value in zip(self._task.upstream, self._positional, strict=True):
            names[reference.block] = value
        return names

    def _set_parameters(self, module: ModuleType) -> None:
        """Give globals of the notebook that are parameters the values of this run."""
        folder = f"{self._task.project}/{HELPERS}/"
        helpers = [
            each
            for each in list(vars(sys.modules.get(HELPERS, module)).values())
            if isinstance(each, ModuleType)
            and str(getattr(each, "__file__", "")).startswith(folder)
        ]
        for each in (module, *helpers):
            for name, value in self._task.parameters.items():
                present = vars(each).get(name, each)
                if not callable(present) and not isinstance(present, ModuleType):
                    setattr(each, name, value)

    def _first_function(self, file: BlockFile) -> Function:
        task = self._task
        marks = file.marked(task.type)
        if not marks:
            text = f"Block '{task.block}' has no function decorated with @{task.type}."
            raise self._guard.failure(BlockLoadError(text), Reason.CONFIGURATION)
        return marks[0].function

    # calling

    @cached_property
    def _positional(self) -> list[Any]:
        return self._guard(Stage.READING, self._inputs.positional)

    @cached_property
    def _kwargs(self) -> dict[str, Any]:
        run_id = self._task.run_id
        if run_id not in _contexts:
            _contexts.clear()
            _contexts[run_id] = {}
        return mage_kwargs(self._task, _contexts[run_id])

    def _call(self, function: Function) -> dict[str, Any]:
        task = self._task
        if self._is_exported:
            name = getattr(function, "__name__", task.block)
            result = self._call_by_name(function)
            end_cell()
            return named_outputs(result, task.outputs, name)
        upstream = [reference.block for reference in task.upstream]
        result = call_positional(function, self._positional, upstream, self._kwargs)
        return positional_outputs(result)

    def _call_by_name(self, function: Function) -> Any:
        task = self._task
        inputs = self._guard(Stage.READING, self._inputs.named)
        parameters = {
            name: task.parameters[name] for name in task.used_parameters if name in task.parameters
        }
        if task.random_streams is None:
            return call_named(function, {**parameters, **inputs}, self._kwargs)
        before = self._guard(Stage.READING, self._inputs.random_streams)
        randomstreams.restore(before)
        result = call_named(function, {**parameters, **inputs}, self._kwargs)
        self._random_streams = randomstreams.capture(before)
        return result

    def _ask_sensor(self, function: Function) -> bool:
        if self._is_exported:
            return bool(self._call_by_name(function))
        return call_sensor(function, lambda: self._positional, self._kwargs)

    # conditions, tests, callbacks

    def _refusing_condition(self, file: BlockFile) -> str:
        """What says that the block must not run; empty if nothing does."""
        attached = self._attached("condition", self._task.conditions)
        for mark in (*file.marked("condition"), *attached):
            name = getattr(mark.function, "__name__", "condition")
            try:
                if not call_condition(mark.function, lambda: self._positional, self._kwargs):
                    return f"Condition '{name}' is false."
            except (KeyboardInterrupt, AttemptFailedError):
                raise
            except BaseException as error:
                self._log(error, f"Condition '{name}' failed, which counts as false.")
                return f"Condition '{name}' failed: {exception_text(error)}"
        return ""

    def _attached(self, kind: str, files: tuple[str, ...]) -> Iterator[Mark]:
        """The functions of condition or callback files."""
        kinds = _CALLBACKS if kind == "callback" else (kind,)
        for file in files:
            yield from self._open(kind, Path(file).stem, file).marked(*kinds)

    def _test(
        self, file: BlockFile, outputs: Mapping[str, Any], renew: Callable[[], None] = lambda: None
    ) -> None:
        """Run all tests, each on values of its own as far as that costs nothing."""
        failures: list[tuple[str, BaseException]] = []
        for mark in file.marked("test"):
            values = [share(value) if shareable(value) else value for value in outputs.values()]
            try:
                call_test(mark.function, values, self._kwargs)
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                failures.append((getattr(mark.function, "__name__", "test"), error))
            self._guard(Stage.STORING, renew)
        if failures:
            raise self._guard.tests_failed(failures)

    def _call_back(
        self, outcome: str, output: Callable[[], Any], error: BaseException | None
    ) -> None:
        """Tell the callbacks that wait for the outcome; what they raise is logged."""
        own = self._file.marked(*_CALLBACKS) if self._file else []
        if not own and not self._task.callbacks:
            return
        kwargs = {**self._kwargs, "parent_block_uuid": self._task.block, "pipeline_run": None}
        if error is not None:
            kwargs["__error"] = error
        try:
            for mark in (*own, *self._attached("callback", self._task.callbacks)):
                if mark.argument == outcome:
                    self._call_back_one(mark, output, kwargs)
        except AttemptFailedError as failed:
            print(failed.error["traceback"], file=sys.stderr)

    def _call_back_one(self, mark: Mark, output: Callable[[], Any], kwargs: dict[str, Any]) -> None:
        try:
            if mark.kind == "callback":
                call_callback(mark.function, output, kwargs)
            else:
                mark.function(**kwargs)
        except Exception as error:
            name = getattr(mark.function, "__name__", mark.kind)
            self._log(error, f"Callback '{name}' failed; the block is not affected.")

    def _log(self, error: BaseException, what: str) -> None:
        print(what, self._guard.describe(error)["traceback"], sep="\n", file=sys.stderr)

    # storing

    def _store_outputs(self, outputs: dict[str, Any], names: tuple[str, ...] = ()) -> Unsealed:
        task = self._task
        about = {
            "pipeline": task.pipeline,
            "run_id": task.run_id,
            "block": task.block,
            "attempt_id": task.attempt_id,
            "random_streams": self._random_streams,
            "together": task.together,
            "optional": task.unread,
            "used_up": names,
        }
        unsealed = self._guard(Stage.STORING, lambda: self._store.put(task.prefix, outputs, about))
        if names and task.random_streams is not None:
            now = randomstreams.capture(self._random_streams)
            self._guard(
                Stage.STORING, lambda: refuse_draws(self._random_streams, now, ", ".join(names))
            )
        for name, output in unsealed.manifest.outputs.items():
            if output.why_not_stored:
                why = f"Output '{name}' is not stored: {output.why_not_stored}"
                print(f"Warning: {why} No block reads it.", file=sys.stderr)
        return unsealed

    def _keep(self, manifest: Manifest, outputs: Mapping[str, Any]) -> None:
        if self._task.keep and self._memory is not None:
            keep_outputs(self._memory, manifest, outputs)

    def _may_seal_later(self, file: BlockFile, unsealed: Unsealed) -> bool:
        """Whether the next block may begin: it is there, and hashing and describing take long."""
        return (
            unsealed.large_bytes >= LARGE
            and not self._task.callbacks
            and not file.marked(*_CALLBACKS)
            and self._line.goes_on()
        )

    def _seal(self, unsealed: Unsealed) -> Manifest:
        task = self._line.settle(self._task)
        inputs = [vars(reference) for reference in task.upstream if reference.run_id]
        return self._guard(Stage.STORING, lambda: unsealed.seal(inputs, task.fingerprint))

    def _sealed(self, unsealed: Unsealed) -> Report:
        """The report of outputs that were written before; runs beside the next attempt."""
        try:
            manifest = self._seal(unsealed)
        except AttemptFailedError as failed:
            let_go(failed.cause)
            return report("failed", failed.reason, failed.error)
        except DroppedError:
            return report("dropped", Reason.DROPPED)
        if self._memory is not None:
            self._memory[self._task.attempt_id, ""] = manifest
        return _succeeded(manifest)


def _succeeded(manifest: Manifest) -> Report:
    return {
        **report("succeeded"),
        "manifest": manifest.as_json(),
        "outputs": {
            name: {"type": output.type, "rows": output.rows, "bytes": output.bytes}
            for name, output in manifest.outputs.items()
        },
    }
