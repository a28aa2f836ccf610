"""Loads a block file as a module of its own: real file, real name, tracebacks with source lines.

Hand-written files find the names Mage gives them: decorators, and the outputs of upstream blocks.
Each load runs the file afresh, so that nothing one attempt did to its globals reaches the next;
compiling is done once per text.
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import CodeType, ModuleType
from typing import Any

from jupyter_blocks import decorators
from jupyter_blocks.block import BLOCK_TYPES
from jupyter_blocks.decorators import Mark, Marker, collecting
from jupyter_blocks.wholefile import read_file

__all__ = ["MAGE_NAMES", "BlockFile", "BlockLoadError", "loaded"]

MODULE_PREFIX = "jupyter_blocks_project"
_BY_VALUE_MODULES = ("cloudpickle", "joblib.externals.cloudpickle")

_PACKAGE = ModuleType(MODULE_PREFIX)
"""Pickle imports the package of a module it names."""
_PACKAGE.__path__ = []

_codes: dict[str, tuple[bytes, CodeType]] = {}
"""Compiled files: name -> text it was compiled from, and the code."""


class BlockLoadError(Exception):
    """The file of a block cannot be used; the text says why and what to do."""


@dataclass(frozen=True)
class BlockFile:
    """A file that has been loaded: its module and the functions it marked, in order."""

    module: ModuleType
    marks: tuple[Mark, ...]

    def marked(self, *kinds: str) -> list[Mark]:
        """The marks of the given kinds that the file itself made.

        Functions that other modules mark while they are imported do not count, unless the file has
        none of its own.
        """
        found = [mark for mark in self.marks if mark.kind in kinds]
        if not found:
            return found
        own = [mark for mark in found if self._is_own(mark)]
        return own or found

    def _is_own(self, mark: Mark) -> bool:
        return getattr(mark.function, "__module__", None) == self.module.__name__


def _injected_names() -> dict[str, Any]:
    """What Mage's files may use without importing it."""
    names: dict[str, Any] = {kind: getattr(decorators, kind) for kind in BLOCK_TYPES}
    names |= {name: getattr(decorators, name) for name in ("loader", "exporter")}
    names |= {name: getattr(decorators, name) for name in ("test", "condition", "callback")}
    names["on_success"] = Marker("on_success", "success")
    names["on_failure"] = Marker("on_failure", "failure")
    names["preprocesser"] = Marker("preprocesser")
    return names


MAGE_NAMES = _injected_names()
"""Names that are there without an import in every file written for Mage."""


@contextmanager
def loaded(
    project: str,
    kind: str,
    name: str,
    *,
    file: str = "",
    content: str | None = None,
    names: Mapping[str, Any] | None = None,
    is_exported: bool = False,
) -> Iterator[BlockFile]:
    """The file of a block as a loaded module, registered in `sys.modules` within the `with` block.

    `kind` is a block type, `condition` or `callback`; `names` are further globals the file finds.
    An exported file imports its decorators, so it is not given any. Raises what the file raises,
    `SyntaxError`, or `BlockLoadError` when it cannot be read.
    """
    path = f"{project}/{file}" if content is None else f"<block {name}>"
    code = _code(path, name, content)
    module = ModuleType(f"{MODULE_PREFIX}.{kind}.{name.replace('/', '.')}")
    module.__file__ = path
    namespace = vars(module)
    namespace.update(names or {})
    if not is_exported:
        namespace.update(MAGE_NAMES)
    before = sys.modules.get(module.__name__)
    sys.modules.setdefault(MODULE_PREFIX, _PACKAGE)
    sys.modules[module.__name__] = module
    try:
        with collecting() as marks:
            exec(code, namespace)  # noqa: S102 - running the user's file is what this is for
        _pickle_by_value(module)
        yield BlockFile(module, tuple(marks))
    finally:
        _unregister(module, before, names or {})


def _code(path: str, name: str, content: str | None) -> CodeType:
    source = _read(path, name) if content is None else content.encode()
    known = _codes.get(path)
    if known is not None and known[0] == source:
        return known[1]
    if content is not None:
        # Tracebacks and `inspect` look source lines up here.
        lines = content.splitlines(keepends=True)
        linecache.cache[path] = (len(source), None, lines, path)
    elif path in linecache.cache:
        linecache.checkcache(path)
    code = compile(source, path, "exec", dont_inherit=True)
    _codes[path] = (source, code)
    return code


def _read(path: str, name: str) -> bytes:
    try:
        return read_file(path)
    except OSError as error:
        raise BlockLoadError(
            f"The file of block '{name}' cannot be read: {path}: {error.strerror}."
        ) from None


def _pickle_by_value(module: ModuleType) -> None:
    """Let processes that a library starts receive functions of the file, which they cannot import.

    joblib pickles with cloudpickle, until its version 1.5 with a copy of its own.
    """
    if "joblib" in sys.modules:
        _load_copy_of_joblib()
    for name in _BY_VALUE_MODULES:
        library = sys.modules.get(name)
        if library is not None:
            library.register_pickle_by_value(module)


@cache
def _load_copy_of_joblib() -> None:
    """It is loaded only when the first process is started, which would be too late."""
    with suppress(ImportError):
        import_module("joblib.externals.cloudpickle")


def _unregister(module: ModuleType, before: ModuleType | None, names: Mapping[str, Any]) -> None:
    for name in _BY_VALUE_MODULES:
        library = sys.modules.get(name)
        if library is not None and module.__name__ in library.list_registry_pickle_by_value():
            library.unregister_pickle_by_value(module)
    if before is None:
        sys.modules.pop(module.__name__, None)
    else:
        sys.modules[module.__name__] = before
    # Functions of the file keep its globals alive, and those must not keep whole tables.
    for name, value in names.items():
        if vars(module).get(name) is value:
            del vars(module)[name]
