"""One kernel and its notebook: what happens before and after each cell.

Keeps where each value of the namespace came from, so that what a cell stores is fresh only if it
was computed from what its upstream blocks stored.
"""

from __future__ import annotations

import ast
import sys
import time
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from jupyter_blocks import randomstreams
from jupyter_blocks.binding import BlockDraft, Returns, Style
from jupyter_blocks.block import Source
from jupyter_blocks.calling import named_outputs
from jupyter_blocks.dataflow import analyze
from jupyter_blocks.decorators import Mark
from jupyter_blocks.errors import BlocksError, VariableNotFoundError
from jupyter_blocks.kernel.calls import BlockCall, keywords, marked_functions, whole
from jupyter_blocks.kernel.live import LiveNotebook
from jupyter_blocks.kernel.provenance import Provenance, Stored
from jupyter_blocks.kernel.providing import Loaded, load_inputs, loaded_text, provide_setup
from jupyter_blocks.kernel.request import CellRequest, read_request
from jupyter_blocks.kernel.storing import StoredCell, Storer
from jupyter_blocks.kernel.view import View, Views
from jupyter_blocks.variables.formats import share, shareable
from jupyter_blocks.variables.manifest import Manifest

__all__ = ["Session"]

CALL = "__jupyter_blocks_call__"
"""Name under which a cell finds the call of its decorated function."""
LAST_WAIT_S = 30.0
"""How long the end of a kernel waits for what is being stored."""
SHORT_WAIT_S = 0.05
"""How long a cell waits for its outputs, so that a mistake is told with the cell."""


@dataclass
class _Running:
    """The block whose cell runs now."""

    view: View
    block: BlockDraft
    cell: str
    number: int
    started_at: float = field(default_factory=time.time)
    changed: set[str] = field(default_factory=set)
    """Upstream blocks whose values are not those they stored."""
    streams: Mapping[str, Any] | None = None
    outputs: dict[str, Any] | None = None
    """Of a decorated block, once it was called."""
    read: dict[str, Manifest] = field(default_factory=dict)
    """Upstream block -> the stored outputs that were read for its function."""


class Session:
    """The state of one kernel."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.namespace: dict[str, Any] = shell.user_ns
        self.is_on = True
        self.live = LiveNotebook(self.namespace)
        self.storer = Storer()
        self._views = Views()
        self._provenance = Provenance(self.namespace)
        self._results: dict[str, StoredCell] = {}
        """Block -> what it gave when it ran here last."""
        self._streams: dict[str, Mapping[str, Any]] = {}
        """Block -> where it left the random streams when it ran here last."""
        self._done_cells: dict[str, set[int]] = {}
        self.marks: list[Mark] = []
        """Functions that were decorated since the cell began."""
        self.last_block = ""
        """The block whose cell ran last; `here` in `%blocks run --from here`."""
        self._running: _Running | None = None
        self._waits_for_call = False
        self._stored: list[StoredCell] = []
        self._said: set[str] = set()
        self._context: dict[str, Any] = {}
        """`kwargs['context']` of all blocks that run here."""

    # what the magic asks

    def view(self, *, as_run: bool = False) -> View | None:
        """The notebook as it is now, or as its cells ran; none if it is not known."""
        return self._views.of(self.live.notebook(as_run=as_run))

    def locate(self) -> None:
        """Find the notebook, where no cell of it has run yet."""
        self.live.locate(CellRequest(""))

    @property
    def is_active(self) -> bool:
        """Whether values are provided and stored."""
        saved = self.live.saved()
        own = saved.metadata.get("jupyter_blocks") if saved is not None else None
        return self.is_on and not (isinstance(own, Mapping) and own.get("kernel") is False)

    def set_value(self, name: str, block: str, output: str, manifest: Manifest) -> None:
        """Give the namespace a value that is loaded from the store."""
        self._set_value(name, Source(block, output), self._load(manifest, output), manifest)

    def _set_value(self, name: str, source: Source, value: Any, manifest: Manifest) -> None:
        self.namespace[name] = value
        self._provenance.note(name, source, value, manifest)

    def finish(self) -> None:
        """Wait for what is being stored."""
        self.storer.flush(LAST_WAIT_S)

    # before a cell

    def before(self, info: Any) -> None:
        """Provide what the cell needs."""
        self._running, self._waits_for_call = None, False
        self.marks.clear()
        self.storer.settle()
        self._warn()
        source = str(getattr(info, "raw_cell", "") or "")
        if not source.strip() or source.lstrip().startswith("%blocks"):
            return
        request = read_request(self.shell, source, getattr(info, "cell_id", None))
        name = self.live.place(request)
        if name is None or not self.is_active:
            return
        view = self.view(as_run=True)
        cell = view.cell(name) if view is not None else None
        block = view.block_at(cell.number) if view is not None and cell is not None else None
        if view is None or cell is None or block is None:
            return
        running = _Running(view, block, name, cell.number)
        self._prepare(running)
        self._running = running

    def _prepare(self, running: _Running) -> None:
        view, block = running.view, running.block
        ran = provide_setup(view, block, self.namespace, self._execute, self.live.has_run)
        for name in ran:
            if (cell := view.cell(name)) is not None:
                self.live.note(cell)
        if block.style is Style.DECORATED:
            self.namespace[CALL] = lambda: self._call(running)
            self.shell.user_ns_hidden[CALL] = None
            self._waits_for_call = True
        else:
            self._provide(running)
        self._follow_streams(running)

    def _provide(self, running: _Running) -> None:
        """Load missing inputs; find out which ones are not what their block stored."""
        block = running.block
        loaded: list[Loaded] = []
        if running.number == block.cells[0]:
            loaded = load_inputs(running.view, block, self.namespace, self._set_value)
        if loaded:
            print(loaded_text(loaded))
        running.changed |= {
            source.block
            for name, source in block.inputs.items()
            if not self._provenance.is_original(name, source)
        }

    def _follow_streams(self, running: _Running) -> None:
        """See to it that a block goes on with the random streams where its upstream left them."""
        upstream = running.block.random_streams
        if not upstream:
            return
        left = self._streams.get(upstream)
        if left is None:
            manifest = running.view.store.latest(running.view.draft.name, upstream)
            left = manifest.random_streams if manifest is not None else None
            if left:
                randomstreams.restore(left)
        now = randomstreams.capture(left)
        if left is None or any(now.get(name) != state for name, state in left.items()):
            running.changed.add(upstream)
        running.streams = left

    # decorated functions

    def take_call(self) -> ast.stmt | None:
        """The statement that is added to the cell of a decorated function."""
        if not self._waits_for_call:
            return None
        self._waits_for_call = False
        return ast.parse(f"{CALL}()").body[0]

    def _call(self, running: _Running) -> Any:
        """Call the function of the cell with what its arguments name; gives its result."""
        view, block = running.view, running.block
        parameters = self._parameters(view)
        kwargs = keywords(view, block.name, parameters, self._context)
        marked = marked_functions(self._source(running), self.namespace, self.marks)
        call = BlockCall(block.name, self.namespace[block.code.function], marked, kwargs)
        loaded: list[Loaded] = []
        values = {name: parameters[name] for name in block.parameters if name in parameters}
        try:
            refusal = call.refusal(lambda: self._upstream_values(running, loaded))
            if not refusal:
                for name, source in block.inputs.items():
                    values[name] = self._argument(running, name, source, loaded)
        except BlocksError as error:
            refusal = str(error)
        except Exception as error:  # a stored value that cannot be read is no mistake of the cell
            refusal = f"{type(error).__name__}: {error}"
        if loaded:
            print(loaded_text(loaded))
        if refusal:
            print(f"'{block.code.function}' was not called. {refusal}", file=sys.stderr)
            self._running = None
            return None
        return self._called(running, call, values)

    def _called(self, running: _Running, call: BlockCall, values: Mapping[str, Any]) -> Any:
        """The result, tested; callbacks are told how it went."""
        block = running.block
        try:
            result = call.result(values)
            outputs = call.tested(named_outputs(result, block.outputs, block.code.function))
        except KeyboardInterrupt as interrupt:
            call.tell("cancelled", [], interrupt)
            raise
        except Exception as error:
            call.tell("failure", [], error)
            raise
        running.outputs = outputs
        call.succeeded(outputs)
        return result

    def _upstream_values(self, running: _Running, loaded: list[Loaded]) -> list[Any]:
        """One value per upstream block, as a condition gets them."""
        found = []
        for name in running.block.upstream:
            draft = running.view.draft.block(name)
            outputs = () if draft.type.name == "sensor" else draft.outputs
            found.append(
                whole(
                    [
                        self._argument(running, output, Source(name, output), loaded)
                        for output in outputs
                    ]
                )
            )
        return found

    def _source(self, running: _Running) -> str:
        cell = running.view.cell(running.cell)
        return str(self.shell.transform_cell(cell.source)) if cell is not None else ""

    def _argument(self, running: _Running, name: str, source: Source, loaded: list[Loaded]) -> Any:
        """A value of its own for one argument: from this kernel, else from the store."""
        if self._provenance.is_original(source.output, source):
            value = self.namespace[source.output]
            return share(value) if shareable(value) else deepcopy(value)
        result, manifest = self._results.get(source.block), None
        if result is not None:
            result.done.wait()
        if result is None or result.manifest is not None:
            manifest = running.view.store.latest(running.view.draft.name, source.block)
        if manifest is not None and result is None:
            why = running.view.staleness(source.block)
            item = Loaded(name, manifest, source.output, why)
            loaded += [] if item in loaded else [item]
        if manifest is None:
            raise VariableNotFoundError(
                f"Its argument '{name}' comes from block '{source.block}', which has no stored "
                "outputs.",
                hint=f"Run '{source.block}' first.",
            )
        running.read[source.block] = manifest
        return self._load(manifest, source.output)

    # after a cell

    def after(self, result: Any) -> None:
        """Take note of what the cell did, and store what its block gives."""
        running, self._running = self._running, None
        self._waits_for_call = False
        self.namespace.pop(CALL, None)
        self._forget_changed(result, running)
        if running is None or result is None or not result.success:
            return
        block = running.block
        done = self._done_cells.setdefault(block.name, set())
        if running.number == block.cells[0]:
            done.clear()
        done.add(running.number)
        if running.number != block.cells[-1] or not set(block.cells) <= done:
            return
        outputs = self._outputs(running, result)
        if outputs is not None and block.type.name != "sensor":
            self._store(running, outputs)

    def _forget_changed(self, result: Any, running: _Running | None) -> None:
        """Names the cell may have set or changed are no longer what their block stored."""
        if result is None or result.info is None:
            return
        try:
            flow = analyze(self.shell.transform_cell(result.info.raw_cell))
        except (SyntaxError, ValueError):
            return
        changes: Iterable[str] = flow.changes
        if running is not None:
            edges = running.block.edges
            changes = {edge.name for edge in edges if edge.kind in ("change", "rebind")}
        self._provenance.forget([*flow.binds, *flow.maybe_binds, *flow.deletes], changes)

    def _outputs(self, running: _Running, result: Any) -> dict[str, Any] | None:
        block = running.block
        if block.style is Style.DECORATED:
            return running.outputs
        last = block.code.last_expression
        if block.code.returns is Returns.EXPRESSION and last is not None and last.name is None:
            return dict.fromkeys(block.outputs, result.result)
        if any(name not in self.namespace for name in block.outputs):
            return None
        return {name: self.namespace[name] for name in block.outputs}

    def _store(self, running: _Running, outputs: dict[str, Any]) -> None:
        view, block = running.view, running.block
        streams = None
        if block.random_streams is not None:
            streams = randomstreams.capture(running.streams)
            self._streams[block.name] = streams
        stored = StoredCell(
            view=view,
            block=block.name,
            outputs=outputs,
            parameters=self._parameters(view),
            upstream={
                name: running.read.get(name) or self._upstream(view, name)
                for name in _upstream_data(view, block)
            },
            changed=frozenset(running.changed),
            started_at=running.started_at,
            random_streams=streams,
        )
        if block.style is Style.PLAIN:
            for name, value in outputs.items():
                self._provenance.note(name, Source(block.name, name), value, stored)
        self._results[block.name] = stored
        self.last_block = block.name
        self._stored.append(stored)
        self.storer.add(stored)
        stored.done.wait(SHORT_WAIT_S)
        self._warn()

    def _upstream(self, view: View, name: str) -> Stored | None:
        found = self._provenance.manifest_of(name)
        if found is not None:
            return found
        return self._results.get(name) or view.store.latest(view.draft.name, name)

    # odds and ends

    def _parameters(self, view: View) -> dict[str, Any]:
        """The parameters of the pipeline with the values they have here."""
        defaults = view.draft.parameters
        return {
            name: value if type(value := self.namespace.get(name, default)) in _PLAIN else default
            for name, default in defaults.items()
        }

    def _load(self, manifest: Manifest, output: str) -> Any:
        view = self.view(as_run=True) or self.view()
        if view is None:
            raise VariableNotFoundError("The notebook is not known.")
        return view.store.load(manifest, output)

    def _execute(self, text: str) -> None:
        """Run code of an earlier cell in the namespace of the notebook."""
        exec(compile(text, "<jupyter blocks>", "exec", dont_inherit=True), self.namespace)  # noqa: S102

    def _warn(self) -> None:
        """Say once what could not be stored."""
        for stored in [each for each in self._stored if each.done.is_set()]:
            self._stored.remove(stored)
            if stored.error and stored.error not in self._said:
                self._said.add(stored.error)
                print(f"Not stored: {stored.error}", file=sys.stderr)


_PLAIN = (bool, int, float, str, list, dict, type(None))


def _upstream_data(view: View, block: BlockDraft) -> list[str]:
    """Upstream blocks that store anything."""
    return [name for name in block.upstream if view.draft.block(name).type.name != "sensor"]
