"""What `%load_ext jupyter_blocks` sets up: hooks around each cell, and the magic `%blocks`.

Light: everything else is imported when the first cell runs. An error of ours is a warning, never a
broken cell.
"""

from __future__ import annotations

import ast
import atexit
import os
import sys
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from jupyter_blocks.decorators import Mark, unwatch, watch
from jupyter_blocks.lazy import LazyModule

if TYPE_CHECKING:
    from jupyter_blocks.kernel.session import Session

_completion, _magic, _session = (
    LazyModule(f"jupyter_blocks.kernel.{name}") for name in ("completion", "magic", "session")
)

__all__ = ["Extension", "load_ipython_extension", "unload_ipython_extension"]

_extensions: dict[int, Extension] = {}
"""By shell: loading twice is loading once."""


def load_ipython_extension(shell: Any) -> None:
    """Begin to look after the cells of this shell."""
    if id(shell) not in _extensions:
        _extensions[id(shell)] = Extension(shell)
        _extensions[id(shell)].register()


def unload_ipython_extension(shell: Any) -> None:
    """Leave the shell as it was."""
    extension = _extensions.pop(id(shell), None)
    if extension is not None:
        extension.unregister()


class Extension:
    """The hooks of one shell; the work is done by its `session.Session`."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self._session: Session | None = None
        self._said: set[str] = set()
        self._matcher = self._make_matcher()

    @property
    def session(self) -> Session:
        """What is known of the notebook and its cells."""
        if self._session is None:
            self._session = _session.Session(self.shell)
        return self._session

    def register(self) -> None:
        """Hook into the shell."""
        self.shell.events.register("pre_run_cell", self.before)
        self.shell.events.register("post_run_cell", self.after)
        self.shell.ast_transformers.append(self)
        watch(self.note)
        self.shell.register_magic_function(self.magic, "line", "blocks")
        self.shell.Completer.custom_matchers.append(self._matcher)
        atexit.register(self.finish)

    def unregister(self) -> None:
        """Take the hooks out again; what is being stored is finished."""
        self.finish()
        self.shell.events.unregister("pre_run_cell", self.before)
        self.shell.events.unregister("post_run_cell", self.after)
        self.shell.ast_transformers.remove(self)
        unwatch(self.note)
        self.shell.magics_manager.magics["line"].pop("blocks", None)
        self.shell.Completer.custom_matchers.remove(self._matcher)
        atexit.unregister(self.finish)

    # hooks

    def before(self, info: Any) -> None:
        """A cell is about to run."""
        self._guarded(lambda: self.session.before(info))

    def note(self, mark: Mark) -> None:
        """A function was decorated."""
        if self._session is not None:
            self._session.marks.append(mark)

    def visit(self, tree: ast.AST) -> ast.AST:
        """The cell's syntax tree; a call of its decorated function is added at the end."""
        if self._session is not None and isinstance(tree, ast.Module):
            waiting = self._session.take_call()
            if waiting is not None:
                tree.body.append(waiting)
                ast.fix_missing_locations(tree)
        return tree

    def after(self, result: Any) -> None:
        """A cell has run."""
        if self._session is not None:
            self._guarded(lambda: self.session.after(result))

    def magic(self, line: str) -> None:
        """`%blocks`: status, runs and stored values; `%blocks help` lists what it can do."""
        _magic.execute(self.session, line)

    def complete(self, context: Any) -> dict[str, Any]:
        """Words that may follow in a `%blocks` line; nothing of Python is offered there."""
        from IPython.core.completer import SimpleCompletion

        line = str(context.text_until_cursor).lstrip()
        if not line.startswith("%blocks "):
            return {"completions": []}
        try:
            words: list[str] = _completion.words(self.session, line)
        except Exception:
            words = []
        begun = "" if line[-1:].isspace() else line.split()[-1]
        return {
            "completions": [SimpleCompletion(word, type="blocks") for word in words],
            "matched_fragment": begun,
            "suppress": True,
        }

    def finish(self) -> None:
        """Wait for what is being stored."""
        if self._session is not None:
            self._session.finish()

    def _make_matcher(self) -> Callable[[Any], dict[str, Any]]:
        """`complete` as IPython's completer wants it: a function that says what it is."""
        from IPython.core.completer import context_matcher

        @context_matcher(identifier="jupyter_blocks")  # type: ignore[untyped-decorator]
        def blocks_matcher(context: Any) -> dict[str, Any]:
            return self.complete(context)

        made: Callable[[Any], dict[str, Any]] = blocks_matcher
        return made

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            if text not in self._said:
                self._said.add(text)
                print(f"Jupyter Blocks left this cell alone. {text}", file=sys.stderr)
            if os.environ.get("JUPYTER_BLOCKS_DEBUG"):
                traceback.print_exc()
