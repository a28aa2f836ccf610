"""Whether figures stay open where a cell of the notebook ends, which they do in Jupyter only if
the notebook asks for it: another backend, such as `%matplotlib widget`, or an option.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from jupyter_blocks.binding.cellcode import CellCode
from jupyter_blocks.binding.statements import Statement, StatementKind, asked_once, dotted_name
from jupyter_blocks.wordsets import word_set

__all__ = ["How", "Kept", "kept_figures"]


class How(StrEnum):
    """How a notebook says that figures stay open."""

    MAGIC = "magic"
    """By a command that no block file repeats."""
    CODE = "code"
    """By a statement that block files repeat, as they do with all options."""
    UNSHOWN = "unshown"
    """It has switched showing off: they stay open until `plt.show()`."""


@dataclass(frozen=True)
class Kept:
    """Why figures stay open."""

    how: How
    text: str
    """What says so, as in the notebook."""
    cell: int


_MAGIC = re.compile(r"""matplotlib['",)\s]*(?P<backend>[\w:./]*)""")
_CONFIG = re.compile(r"InlineBackend\.close_figures\s*=\s*(?P<value>\w+)")
_CHOOSES = ("%matplotlib", "get_ipython")
_INLINE = ("inline", "module://matplotlib_inline.backend_inline", "auto", "")
"""Backends of Jupyter itself."""


def kept_figures(
    codes: Sequence[CellCode], origin: Callable[[str], str], drawing: Mapping[int, int]
) -> Mapping[int, Kept | None]:
    """For each cell whether figures stay open at its end, and why.

    `drawing` says of each whether it draws.
    """
    found: dict[int, Kept | None] = {}
    state: Kept | None = None
    is_loaded = False
    for code in codes:
        for said in _said(code, origin):
            # What comes before the backend is loaded is undone when it is.
            if said.how is not How.UNSHOWN or is_loaded:
                state = _after(state, said, code.number)
        is_loaded = is_loaded or bool(drawing[code.number]) or _chooses(code)
        found[code.number] = state
    return found


@dataclass(frozen=True)
class _Said:
    """One command or statement about it."""

    line: int
    how: How | None
    """None: figures end with their cell from now on."""
    text: str


def _after(state: Kept | None, said: _Said, cell: int) -> Kept | None:
    if said.how is not None:
        return Kept(said.how, said.text, cell)
    only_shows = said.text.rpartition(".")[2].startswith(("ion", "interactive"))
    return state if only_shows and state is not None and state.how is not How.UNSHOWN else None


def _said(code: CellCode, origin: Callable[[str], str]) -> list[_Said]:
    by_code = [found for item in code.statements for found in _by_statement(item, origin)]
    return sorted([*_by_commands(code), *by_code], key=lambda found: found.line)


def _chooses(code: CellCode) -> bool:
    return any(text.startswith(_CHOOSES) for _, text in code.commands)


def _by_commands(code: CellCode) -> Iterator[_Said]:
    for line, text in code.commands:
        backend, config = _MAGIC.search(text), _CONFIG.search(text)
        if config is not None:
            yield _Said(line, None if config["value"] in ("True", "1") else How.MAGIC, text)
        elif backend is not None and text.startswith(_CHOOSES):
            yield _Said(line, None if backend["backend"] in _INLINE else How.MAGIC, text)


def _by_statement(statement: Statement, origin: Callable[[str], str]) -> Iterator[_Said]:
    if statement.kind is StatementKind.DEFINITION or statement.kind.is_import:
        return
    for path, argument, text in _settings(statement):
        root, _, rest = path.partition(".")
        module = origin(root)
        name = f"{module}.{rest}" if rest else module
        if name.startswith(("matplotlib", "pylab", "IPython")) and ".style" not in name:
            yield _Said(statement.first, _how(name.rpartition(".")[2], argument), text)


def _how(function: str, argument: object) -> How | None:
    """What a call says."""
    match function:
        case "use":
            return None if argument in _INLINE else How.CODE
        case "switch_backend":
            return None if argument in _INLINE else How.MAGIC
        case "set_matplotlib_close":
            return How.MAGIC if argument is False else None
        case "ion":
            return None
        case "interactive":
            return How.UNSHOWN if argument is False else None
    return How.UNSHOWN


_Setting = tuple[str, object, str]
"""Dotted name of the function, its first argument if that is a constant, the text."""


@asked_once
def _settings(statement: Statement) -> tuple[_Setting, ...]:
    """The calls in a statement that may say it; those of `with plt.ioff():` hold inside only."""
    found = []
    inside = {
        item.context_expr for node in statement.by_type.get(ast.With, ()) for item in node.items
    }
    for call in statement.by_type.get(ast.Call, ()):
        path = dotted_name(call.func)
        name = path.rpartition(".")[2]
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        first = given[0] if given else None
        if (
            name not in _SAYING
            or call in inside
            or (name == "update" and not _is_reset(path, first))
        ):
            continue
        found.append(
            (path, first.value if isinstance(first, ast.Constant) else None, ast.unparse(call))
        )
    return tuple(found)


_SAYING = word_set("interactive ioff ion set_matplotlib_close switch_backend update use")


def _is_reset(path: str, argument: ast.expr | None) -> bool:
    """`plt.rcParams.update(plt.rcParamsDefault)`: the default is not to show figures."""
    given = dotted_name(argument) if argument is not None else ""
    return "rcParams" in path and given.endswith("rcParamsDefault")
