"""Why a value cannot be stored, and which of its members is to blame.

A value that no format takes is searched from the outside in: the first member that cannot be
pickled on its own is followed, down to the one that has no such member itself.
"""

from __future__ import annotations

import collections
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from types import AsyncGeneratorType, CoroutineType, FunctionType, GeneratorType, ModuleType
from typing import Any

from jupyter_blocks.errors import UnstorableError
from jupyter_blocks.variables.formats.base import type_name

__all__ = ["describe_unstorable", "find_offender", "refuse"]

_MOST_MEMBERS = 10_000
"""Members of one container that are looked at."""
_DEEPEST = 20
_ITERATOR_MODULES = ("builtins", "itertools", "_csv")
_REMEDY = "Create it inside the block that uses it."
_DRAIN = "Store what it yields, such as `list(...)`, or create it inside the block that uses it."


def refuse(value: Any, name: str) -> None:
    """Raise `UnstorableError` for a value that could be pickled, but not so that it makes sense."""
    if isinstance(value, ModuleType) or _is_iterator(value) or _is_open_file(value):
        raise _error(name, name, value)


def describe_unstorable(value: Any, name: str, error: BaseException) -> UnstorableError:
    """The error that names the member of `value` that made pickling it fail with `error`."""
    path, offender = find_offender(value, name)
    return _error(name, path, offender, error)


def find_offender(value: Any, name: str) -> tuple[str, Any]:
    """The innermost member that cannot be pickled, with its path, such as `result['conn']`."""
    path, visited = name, {id(value)}
    for _ in range(_DEEPEST):
        for step, member in islice(_members(value), _MOST_MEMBERS):
            if id(member) not in visited and _fails(member):
                path, value = path + step, member
                visited.add(id(member))
                break
        else:
            break
    return path, value


def _error(
    name: str, path: str, offender: Any, error: BaseException | None = None
) -> UnstorableError:
    kind = type_name(type(offender))
    what, remedy = _describe(offender)
    reason = f" ({type(error).__name__}: {error})" if error is not None and not what else ""
    subject = "it" if path == name else f"`{path}`"
    text = f"output '{name}' cannot be stored: {subject} is {what or 'an object'} of type {kind}"
    return UnstorableError(
        f"{text}, which does not survive the end of its process{reason}.", hint=remedy
    )


def _describe(value: Any) -> tuple[str, str]:
    if isinstance(value, (GeneratorType, AsyncGeneratorType)):
        return "a generator", _DRAIN
    if isinstance(value, CoroutineType):
        return "a coroutine", "Await it and store its result."
    if isinstance(value, ModuleType):
        return "a module", "Import it inside the block that uses it."
    if isinstance(value, io.IOBase):
        return "an open file", _REMEDY
    if _is_iterator(value):
        return "an iterator", _DRAIN
    return _KINDS.get(type_name(type(value)), ""), _REMEDY


_KINDS = {
    "_asyncio.Future": "a future",
    "_queue.SimpleQueue": "a queue",
    "_thread.RLock": "a lock",
    "_thread._local": "a thread-local object",
    "_thread.lock": "a lock",
    "queue.Queue": "a queue",
    "socket.socket": "a network connection",
    "sqlite3.Connection": "a database connection",
    "sqlite3.Cursor": "a database cursor",
    "subprocess.Popen": "a running process",
    "threading.Event": "a lock",
    "threading.Thread": "a thread",
    "weakref.ReferenceType": "a weak reference",
}


def _is_iterator(value: Any) -> bool:
    if isinstance(value, (GeneratorType, AsyncGeneratorType, CoroutineType)):
        return True
    return isinstance(value, Iterator) and type(value).__module__ in _ITERATOR_MODULES


def _is_open_file(value: Any) -> bool:
    return isinstance(value, io.IOBase) and not isinstance(value, (io.BytesIO, io.StringIO))


class _Nowhere(io.RawIOBase):
    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        return memoryview(data).nbytes


def _fails(value: Any) -> bool:
    """Whether a value cannot be pickled on its own."""
    import cloudpickle

    if isinstance(value, io.TextIOWrapper):
        return True
    try:
        cloudpickle.Pickler(_Nowhere(), protocol=5, buffer_callback=lambda _: False).dump(value)
    except Exception:
        return True
    return False


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    """What a value is made of, each with the text that leads to it."""
    for matches, members in _WAYS:
        if matches(value):
            yield from members(value)
            return
    yield from _attributes(value)


def _of_mapping(value: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    for key, member in value.items():
        yield f"[{key!r}]", member
    for key in value:
        yield f" (key {key!r})", key
    if type(value) is not dict:
        yield from _attributes(value)


def _of_sequence(value: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    for position, member in enumerate(value):
        yield f"[{position}]", member
    yield from _attributes(value)


def _of_set(value: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    for member in value:
        yield f" (member {member!r:.80})", member


def _of_function(value: FunctionType) -> Iterator[tuple[str, Any]]:
    for name, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=False):
        with suppress(ValueError):
            yield f" (its variable '{name}')", cell.cell_contents
    for name in value.__code__.co_names:
        if name in value.__globals__:
            yield f" (its global '{name}')", value.__globals__[name]


def _of_table(value: Any) -> Iterator[tuple[str, Any]]:
    for position, label in enumerate(value.columns):
        if value.dtypes.iloc[position].kind == "O":
            for step, cell in _of_series(value.iloc[:, position]):
                yield f"[{label!r}]{step}", cell


def _of_series(value: Any) -> Iterator[tuple[str, Any]]:
    for position, cell in enumerate(value):
        yield f".iloc[{position}]", cell


def _attributes(value: Any) -> Iterator[tuple[str, Any]]:
    members = dict(getattr(value, "__dict__", None) or {})
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(value, name):
                members[name] = getattr(value, name)
    for name, member in members.items():
        yield f".{name}", member


def _is_pandas(value: Any, name: str) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, getattr(pandas, name))


_WAYS: tuple[tuple[Callable[[Any], bool], Callable[[Any], Iterator[tuple[str, Any]]]], ...] = (
    (lambda value: isinstance(value, Mapping), _of_mapping),
    (lambda value: isinstance(value, (list, tuple, collections.deque)), _of_sequence),
    (lambda value: isinstance(value, (set, frozenset)), _of_set),
    (lambda value: isinstance(value, FunctionType), _of_function),
    (lambda value: _is_pandas(value, "DataFrame"), _of_table),
    (lambda value: _is_pandas(value, "Series"), _of_series),
)
